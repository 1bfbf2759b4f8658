// Finds the element as reading.js numbered it, and presses it; says what keeps it from being a file. Runs in a world of
// its own, and asks elements by dom.js alone: what the page made of them, or calls them, does not change what is pressed.
([selector, index, text]) => {
  const documents = [];
  const shadows = [];
  const visit = (root, kind) => {
    kind.push(root);
    for (const element of dom.all(root, "*")) {
      const shadow = dom.shadow(element);
      if (shadow) visit(shadow, shadows);
      const inner = dom.isFrame(element) ? element.contentDocument : null;
      if (inner) visit(inner, documents);
    }
  };
  visit(document, documents);
  const found = [...documents, ...shadows].flatMap((root) => [...dom.all(root, selector)]);
  const shows = (element) => (element ? dom.text(element) : "").trim().slice(0, 200) === text;
  const same = found.filter(shows);
  const element = shows(found[index]) || same.length !== 1 ? found[index] : same[0];
  if (!element) return "the page no longer shows it";
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(dom.attribute(element, "href") ?? "")?.[1].toLowerCase() ?? "";
  if (scheme && !["http", "https", "javascript", "blob", "data"].includes(scheme))
    return `its address is none of the web: ${scheme}`;
  if (dom.isHtml(element)) dom.click(element);
  else dom.dispatch(element, new MouseEvent("click", { bubbles: true, cancelable: true, composed: true }));
  return "";
};
