// Finds the element as reading.js numbered it, and presses it; says what keeps it from being a file. Runs in a world of
// its own, and takes its methods from where no page can hide them, as reading.js does: what the page made of them, or
// calls its elements, does not change what is pressed.
([selector, index, text]) => {
  const queryDocument = Document.prototype.querySelectorAll;
  const queryFragment = DocumentFragment.prototype.querySelectorAll;
  const attributeOf = Element.prototype.getAttribute;
  const query = (root, what) => (root.nodeType === 9 ? queryDocument : queryFragment).call(root, what);

  const documents = [];
  const shadows = [];
  const visit = (root, kind) => {
    kind.push(root);
    for (const element of query(root, "*")) {
      if (element.shadowRoot) visit(element.shadowRoot, shadows);
      const inner = element.localName === "iframe" || element.localName === "frame" ? element.contentDocument : null;
      if (inner) visit(inner, documents);
    }
  };
  visit(document, documents);
  const found = [...documents, ...shadows].flatMap((root) => [...query(root, selector)]);
  const shows = (element) => String(element?.innerText ?? element?.textContent ?? "").trim().slice(0, 200) === text;
  const same = found.filter(shows);
  const element = shows(found[index]) || same.length !== 1 ? found[index] : same[0];
  if (!element) return "the page no longer shows it";
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(attributeOf.call(element, "href") ?? "")?.[1].toLowerCase() ?? "";
  if (scheme && !["http", "https", "javascript", "blob", "data"].includes(scheme))
    return `its address is none of the web: ${scheme}`;
  if (element.namespaceURI === "http://www.w3.org/1999/xhtml") HTMLElement.prototype.click.call(element);
  else element.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, composed: true }));
  return "";
};
