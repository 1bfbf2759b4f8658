// Copies a page as it is shown now into HTML that shows the same without scripts, styles and network: open shadow roots
// become templates of their own, frames of the same origin become part of the page, and what hides an element stays.
// Runs in our isolated world. The copy is built in a document of its own, where no element of the page runs code.
(spec) => {
  const getter = (kind, name) => {
    const { get } = Object.getOwnPropertyDescriptor(kind.prototype, name);
    return (node) => get.call(node);
  };
  const method = (kind, name) => {
    const prototypeMethod = kind.prototype[name];
    return (node, ...values) => prototypeMethod.apply(node, values);
  };
  const childrenOf = getter(Node, "childNodes");
  const typeOf = getter(Node, "nodeType");
  const append = method(Node, "appendChild");
  const set = method(Element, "setAttribute");
  const drop = method(Element, "removeAttribute");
  const namesOf = method(Element, "getAttributeNames");
  const tagOf = getter(Element, "localName");
  const isMatch = method(Element, "matches");
  const outerOf = getter(Element, "outerHTML");
  const rootOf = getter(Document, "documentElement");
  const contentOf = getter(HTMLTemplateElement, "content");
  const create = method(Document, "createElement");
  const importNode = method(Document, "importNode");
  const inert = getter(Document, "implementation")(document).createHTMLDocument("");

  const [ELEMENT, TEXT] = [1, 3];
  const LEFT_OUT = new Set(["script", "style", "link", "template", "noscript"]);
  const DROPPED = new Set(["srcset", "srcdoc", "nonce", "integrity", "autofocus", "autoplay", "ping", "background"]);
  const MEDIA = new Set(["audio", "video", "source", "track"]);
  const DISPLAYS = new Map([
    ["table", "table"], ["thead", "table-header-group"], ["tbody", "table-row-group"], ["tfoot", "table-footer-group"],
    ["tr", "table-row"], ["td", "table-cell"], ["th", "table-cell"], ["li", "list-item"], ["button", "inline-block"],
    ["input", "inline-block"], ["select", "inline-block"], ["textarea", "inline-block"],
    ...["html", "body", "div", "p", "h1", "h2", "h3", "h4", "ul", "ol", "dl", "dt", "dd", "form", "section", "article",
      "header", "footer", "main", "nav", "aside", "fieldset", "pre"].map((tag) => [tag, "block"]),
    ...["span", "a", "b", "i", "em", "strong", "small", "label", "code", "img", "time", "iframe"].map((tag) => [tag, "inline"]),
  ]);
  const HEAD = new Set(["head", "title", "meta", "base"]);
  const INHERITED = ["visibility", "text-transform", "white-space-collapse", "text-wrap-mode"];

  const documents = [];
  const isKept = (element) => spec.kept.some((selector) => isMatch(element, selector));
  const absolute = (element, address) => {
    try {
      return new URL(address, dom.base(element)).href;
    } catch {
      return "";
    }
  };

  const bake = (element, copied, above) => {
    const computed = getComputedStyle(element);
    const shown = Object.fromEntries(INHERITED.map((name) => [name, computed.getPropertyValue(name)]));
    const baked = INHERITED.filter((name) => shown[name] && shown[name] !== above[name]).map((name) => [name, shown[name]]);
    if (computed.display && computed.display !== DISPLAYS.get(tagOf(element))) baked.push(["display", computed.display]);
    if (dom.viewedBy(element)) {
      const { width, height } = dom.box(element);
      baked.push(["width", `${width}px`], ["height", `${height}px`]);
    }
    const style = dom.attribute(element, "style");
    if (baked.length > 0) {
      const own = style ? `${style.replace(/;\s*$/, "")};` : "";
      set(copied, "style", own + baked.map(([name, value]) => `${name}:${value}!important`).join(";"));
    }
    return shown;
  };
  const strip = (element, copied) => {
    const tag = tagOf(element);
    for (const name of namesOf(copied)) {
      const value = dom.attribute(copied, name);
      const isData = (name === "src" || name === "poster") && /^(data|blob):/i.test(value) && !dom.viewedBy(element);
      if (/^on/i.test(name) || DROPPED.has(name) || isData || (MEDIA.has(tag) && name === "src")) drop(copied, name);
    }
    const type = (dom.attribute(element, "type") ?? "").toLowerCase();
    if (tag === "input" && (type === "password" || type === "hidden") && !isKept(element)) drop(copied, "value");
    const name = dom.attribute(element, "name") ?? "";
    if (tag === "meta" && /csrf|token|nonce/i.test(name)) drop(copied, "content");
  };
  // A frame of the same origin becomes part of the page. What shows a file is noted, so that it can be shown again.
  const enter = (element, copied) => {
    const inner = dom.inner(element);
    if (!inner) return;
    const address = absolute(element, dom.attribute(element, dom.viewedBy(element)) ?? "");
    const isBlank = dom.url(inner) === "about:blank" && /^https?:/.test(address);
    if (!dom.isPage(inner) || isBlank) {
      documents.push({ address, media_type: isBlank ? "" : dom.mediaType(inner), html: "" });
    } else if (tagOf(element) === "iframe") {
      set(copied, "srcdoc", htmlOf(inner, dom.base(rootOf(inner))));
    } else {
      documents.push({ address: dom.url(inner), media_type: "text/html", html: htmlOf(inner, "") });
    }
  };
  const copyInto = (parent, target, above, base) => {
    for (const node of childrenOf(parent)) {
      if (typeOf(node) === TEXT) append(target, importNode(inert, node, false));
      if (typeOf(node) !== ELEMENT) continue;
      const tag = tagOf(node);
      if (LEFT_OUT.has(tag) || (tag === "meta" && dom.attribute(node, "http-equiv"))) continue;
      if (tag === "base" && base) continue;
      append(target, copyOf(node, above, base));
    }
  };
  const copyOf = (element, above, base) => {
    const copied = importNode(inert, element, false);
    strip(element, copied);
    const shown = HEAD.has(tagOf(element)) ? above : bake(element, copied, above);
    if (tagOf(element) === "head" && base) {
      const own = create(inert, "base");
      set(own, "href", base);
      append(copied, own);
    }
    if (dom.viewedBy(element)) enter(element, copied);
    const shadow = dom.shadow(element);
    if (shadow) {
      const template = create(inert, "template");
      set(template, "shadowrootmode", "open");
      copyInto(shadow, contentOf(template), shown, base);
      append(copied, template);
    }
    copyInto(element, copied, shown, base);
    return copied;
  };
  const htmlOf = (root, base) => `<!DOCTYPE html>\n${outerOf(copyOf(rootOf(root), {}, base))}`;
  const html = htmlOf(document, "");
  const shownFiles = dom.isPage(document) ? [] : [{ address: dom.url(document), media_type: dom.mediaType(document), html: "" }];
  return { address: location.href, html: html.toWellFormed(), documents: [...documents, ...shownFiles] };
};
