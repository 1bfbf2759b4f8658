// Finds the element by the number of reading.js and clicks it; returns the reason if it cannot be clicked, else "".
// Runs in our isolated world and uses dom.js only, so that scripts and names of the page cannot change the target.
([selector, index, text, row, rowText]) => {
  const matches = dom.roots().flatMap((root) => [...dom.all(root, selector)]);
  const hasText = (element) =>
    (element ? dom.text(element) : "").trim().slice(0, 200) === text &&
    (!row || !element || dom.rowText(element, row) === rowText);
  const same = matches.filter(hasText);
  const element = hasText(matches[index]) || same.length !== 1 ? matches[index] : same[0];
  if (!element) return "the page no longer shows it";
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(dom.attribute(element, "href") ?? "")?.[1].toLowerCase() ?? "";
  if (scheme && !["http", "https", "javascript", "blob", "data"].includes(scheme))
    return `its address is not on the web (${scheme}:)`;
  if (dom.isHtml(element)) dom.click(element);
  else dom.dispatch(element, new MouseEvent("click", { bubbles: true, cancelable: true, composed: true }));
  return "";
};
