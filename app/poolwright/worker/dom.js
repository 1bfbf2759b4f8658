// How the scripts of our own world ask a page's elements (reading.js, click.js); world.py puts it before each of them.
// A page may call its elements what it likes: a form takes `<input name=shadowRoot>` for its shadowRoot, a document
// `<img name=nodeType>` for its nodeType. So no element is asked itself, but the web where no page can hide it. Frames
// alone have no such names.
const dom = (() => {
  const getter = (kind, name) => {
    const { get } = Object.getOwnPropertyDescriptor(kind.prototype, name);
    return (node) => get.call(node);
  };
  const method = (kind, name) => {
    const own = kind.prototype[name];
    return (node, ...given) => own.apply(node, given);
  };
  const [ELEMENT, DOCUMENT] = [1, 9];
  const FRAMES = new Set(["iframe", "frame"]);
  const typeOf = getter(Node, "nodeType");
  const space = getter(Element, "namespaceURI");
  const tag = getter(Element, "localName");
  const shown = getter(HTMLElement, "innerText");
  const held = getter(Node, "textContent");
  const allOfElement = method(Element, "querySelectorAll");
  const allOfDocument = method(Document, "querySelectorAll");
  const allOfFragment = method(DocumentFragment, "querySelectorAll");
  const everyOfDocument = method(Document, "getElementsByTagName");

  const isDocument = (root) => typeOf(root) === DOCUMENT;
  const isHtml = (element) => space(element) === "http://www.w3.org/1999/xhtml";
  const all = (root, selector) => {
    if (isDocument(root)) return allOfDocument(root, selector);
    return (typeOf(root) === ELEMENT ? allOfElement : allOfFragment)(root, selector);
  };
  return {
    all,
    isDocument,
    isHtml,
    // Counted without a list of them: of a page beyond all measure that alone would take too long.
    countAll: (root) => (isDocument(root) ? everyOfDocument(root, "*") : all(root, "*")).length,
    isFrame: (element) => FRAMES.has(tag(element)) && isHtml(element),
    attribute: method(Element, "getAttribute"),
    base: getter(Node, "baseURI"),
    boxes: method(Element, "getClientRects"),
    click: method(HTMLElement, "click"),
    dispatch: method(EventTarget, "dispatchEvent"),
    listen: method(EventTarget, "addEventListener"),
    shadow: getter(Element, "shadowRoot"),
    state: getter(Document, "readyState"),
    // As a person sees it; of what is no HTML, as it stands there.
    text: (element) => String((isHtml(element) ? shown(element) : held(element)) ?? ""),
  };
})();
