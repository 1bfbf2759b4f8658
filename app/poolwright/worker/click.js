// Finds the element by the number of reading.js and clicks it; returns the reason if it cannot be clicked, "changed" if
// the page shows other elements than when it was read, else "". Runs in our isolated world and uses dom.js only, so
// that scripts and names of the page cannot change the target.
async ([selector, index, text, row, rowText, around, total, waitMs]) => {
  const matches = dom.roots().flatMap((root) => [...dom.all(root, selector)]);
  const hasText = (element) =>
    (element ? dom.text(element) : "").trim().slice(0, 200) === text &&
    (!row || !element || dom.rowText(element, row) === rowText);
  const isThere = (element) => Boolean(element) && hasText(element) && dom.aroundText(element, selector) === around;
  const find = () => {
    if (around && !row) {
      // Elements that look the same are told apart by what stands around them, as the page may reorder its rows.
      if (isThere(matches[index])) return matches[index];
      const there = matches.filter(isThere);
      if (there.length === 1) return there[0];
    }
    const same = matches.filter(hasText);
    if (same.length === 1) return same[0];
    return total && matches.length !== total ? null : matches[index];
  };
  const element = find();
  if (!element) return total && matches.length !== total ? "changed" : "the page no longer shows it";
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(dom.attribute(element, "href") ?? "")?.[1].toLowerCase() ?? "";
  if (scheme && !["http", "https", "javascript", "blob", "data"].includes(scheme))
    return `its address is not on the web (${scheme}:)`;
  const isDisabled = () => dom.closest(element, ":disabled") === element;
  if (isDisabled()) {
    await new Promise((resolve) => {
      const observer = new MutationObserver(() => isDisabled() || end());
      const timer = setTimeout(() => end(), waitMs);
      const end = () => {
        observer.disconnect();
        clearTimeout(timer);
        resolve();
      };
      observer.observe(document, { subtree: true, childList: true, attributes: true });
    });
    if (isDisabled()) return "the page does not enable it";
  }
  // As by a mouse: some pages act when the button goes down, others when it goes up.
  const init = { bubbles: true, cancelable: true, composed: true, view: window, detail: 1 };
  const down = { ...init, button: 0, buttons: 1, isPrimary: true, pointerId: 1, pointerType: "mouse" };
  const up = { ...down, buttons: 0 };
  dom.dispatch(element, new PointerEvent("pointerdown", down));
  dom.dispatch(element, new MouseEvent("mousedown", down));
  dom.dispatch(element, new PointerEvent("pointerup", up));
  dom.dispatch(element, new MouseEvent("mouseup", up));
  if (dom.isHtml(element)) dom.click(element);
  else dom.dispatch(element, new MouseEvent("click", init));
  return "";
};
