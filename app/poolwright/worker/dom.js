// Access to the elements of a page for the scripts in our isolated world (reading.js, click.js); devtools.py puts it
// before each of them. An element with a name can hide a property: a form with `<input name=shadowRoot>` returns it as
// its shadowRoot, a document with `<img name=nodeType>` as its nodeType. So properties are read from the prototypes of
// our world, which no page can change. Only frames have no such names.
const dom = (() => {
  const getter = (kind, name) => {
    const { get } = Object.getOwnPropertyDescriptor(kind.prototype, name);
    return (node) => get.call(node);
  };
  const method = (kind, name) => {
    const prototypeMethod = kind.prototype[name];
    return (node, ...values) => prototypeMethod.apply(node, values);
  };
  const [ELEMENT, DOCUMENT, FRAGMENT] = [1, 9, 11];
  const FRAMES = new Set(["iframe", "frame"]);
  // What shows another document: a page as a frame does, or a file in a viewer. Each has an attribute with its address.
  const VIEWERS = new Map([["iframe", "src"], ["frame", "src"], ["embed", "src"], ["object", "data"]]);
  const typeOf = getter(Node, "nodeType");
  const namespace = getter(Element, "namespaceURI");
  const tag = getter(Element, "localName");
  const visibleText = getter(HTMLElement, "innerText");
  const sourceText = getter(Node, "textContent");
  const allOfElement = method(Element, "querySelectorAll");
  const allOfDocument = method(Document, "querySelectorAll");
  const allOfFragment = method(DocumentFragment, "querySelectorAll");
  const everyOfDocument = method(Document, "getElementsByTagName");

  const objectDocument = getter(HTMLObjectElement, "contentDocument");
  const rootOf = method(Node, "getRootNode");
  const shadowHost = getter(ShadowRoot, "host");
  const mediaType = getter(Document, "contentType");

  const shadowOf = getter(Element, "shadowRoot");
  const matches = method(Element, "matches");
  const parentOf = getter(Node, "parentElement");
  const hostOf = (element) => {
    const root = rootOf(element);
    return typeOf(root) === FRAGMENT ? shadowHost(root) : null;
  };
  const setter = (kind, name) => {
    const { set } = Object.getOwnPropertyDescriptor(kind.prototype, name);
    return (node, value) => set.call(node, value);
  };
  const FIELDS = [HTMLInputElement, HTMLTextAreaElement, HTMLSelectElement];
  const [setInput, setArea, setChoice] = FIELDS.map((kind) => setter(kind, "value"));
  const [inputValue, areaValue] = FIELDS.map((kind) => getter(kind, "value"));
  const chosen = getter(HTMLSelectElement, "selectedOptions");
  const inputType = getter(HTMLInputElement, "type");
  // What can be read in a field: scripts that draw a page set its value, and no attribute has it.
  const READABLE = new Set(["text", "search", "number", "email", "tel", "url", "date", "month", "week", "time", "datetime-local"]);
  const fieldText = (element) => {
    if (tag(element) === "textarea") return areaValue(element);
    if (tag(element) === "select") return [...chosen(element)].map(visibleText).join("; ");
    return READABLE.has(inputType(element)) ? inputValue(element) : "";
  };
  const isField = (element) => isHtml(element) && ["input", "textarea", "select"].includes(tag(element));
  const isDocument = (root) => typeOf(root) === DOCUMENT;
  const isHtml = (element) => namespace(element) === "http://www.w3.org/1999/xhtml";
  const all = (root, selector) => {
    if (isDocument(root)) return allOfDocument(root, selector);
    return (typeOf(root) === ELEMENT ? allOfElement : allOfFragment)(root, selector);
  };
  const isFrame = (element) => FRAMES.has(tag(element)) && isHtml(element);
  const viewedBy = (element) => (isHtml(element) ? VIEWERS.get(tag(element)) : undefined);
  // An embed names its document nowhere, but it is among the frames of its window.
  const embedDocument = (element) => {
    for (let number = 0; number < window.length; number++) {
      try {
        if (window[number].frameElement === element) return window[number].document;
      } catch {
        continue; // of another origin
      }
    }
    return null;
  };
  const shownBy = (element) => {
    if (isFrame(element)) return element.contentDocument;
    return tag(element) === "object" ? objectDocument(element) : embedDocument(element);
  };
  // The visible text; for elements other than HTML (SVG) the text of the source.
  const text = (element) => {
    if (isField(element)) return fieldText(element);
    return String((isHtml(element) ? visibleText(element) : sourceText(element)) ?? "");
  };
  // Documents before open shadow roots: an element is found again by its number in this order.
  const roots = () => {
    const [documents, shadows] = [[], []];
    const visit = (root, kind, depth) => {
      if (depth > 200) return;
      kind.push(root);
      for (const element of all(root, "*")) {
        const shadow = shadowOf(element);
        if (shadow) visit(shadow, shadows, depth + 1);
        const inner = viewedBy(element) ? shownBy(element) : null;
        if (inner && /html|xml/.test(mediaType(inner))) visit(inner, documents, depth + 1);
      }
    };
    visit(document, documents, 0);
    return [...documents, ...shadows];
  };
  // The text of the row around an element, which tells elements apart that look the same.
  const rowText = (element, row) => {
    let place = element;
    while (place && !matches(place, row.closest)) place = parentOf(place) ?? hostOf(place);
    if (!place) return "";
    const cells = row.selector ? [...all(place, row.selector)] : [place];
    return cells.map(text).join(" ").split(/\s+/).join(" ").trim().slice(0, 1000);
  };
  // The text of the largest element around one that contains no other match of its selector: its row, in most lists.
  const aroundText = (element, selector) => {
    let place = null;
    for (let outer = parentOf(element); outer && all(outer, selector).length === 1; outer = parentOf(outer)) place = outer;
    return place && parentOf(place) ? text(place).split(/\s+/).join(" ").trim().slice(0, 300).toWellFormed() : "";
  };
  return {
    all,
    roots,
    rowText,
    aroundText,
    // The document that an element shows, if it can be read; null for other elements.
    inner: (element) => (viewedBy(element) ? shownBy(element) : null),
    // The attribute with the address of what an element shows; undefined if it shows nothing of another address.
    viewedBy,
    mediaType,
    url: getter(Document, "URL"),
    // Whether a document is a page, with elements to be read; else it is a file in a viewer of the browser.
    isPage: (root) => /html|xml/.test(mediaType(root)),
    isDocument,
    isHtml,
    // Counted without a list of the elements, which would take too long for a huge page.
    countAll: (root) => (isDocument(root) ? everyOfDocument(root, "*") : all(root, "*")).length,
    isFrame,
    attribute: method(Element, "getAttribute"),
    base: getter(Node, "baseURI"),
    closest: method(Element, "closest"),
    focus: method(HTMLElement, "focus"),
    parent: (element) => parentOf(element) ?? hostOf(element),
    setAttribute: method(Element, "setAttribute"),
    // Sets the value of a field past the scripts of the page, which are told of it by events.
    setValue: (element, value) => {
      if (tag(element) === "textarea") return setArea(element, value);
      return (tag(element) === "select" ? setChoice : setInput)(element, value);
    },
    tag,
    box: method(Element, "getBoundingClientRect"),
    boxes: method(Element, "getClientRects"),
    click: method(HTMLElement, "click"),
    dispatch: method(EventTarget, "dispatchEvent"),
    listen: method(EventTarget, "addEventListener"),
    closest: method(Element, "closest"),
    // The shadow root or document that contains an element, and the element that has a shadow root.
    rootOf: method(Node, "getRootNode"),
    host: getter(ShadowRoot, "host"),
    shadow: shadowOf,
    state: getter(Document, "readyState"),
    text,
  };
})();
