// Waits for an element and makes one step of the pack on it. `spec` comes from page_steps.py. Runs in our isolated world
// and uses dom.js only. Resolves with the end ("found", "quiet" or "late"), the number of elements and their addresses.
(spec) =>
  new Promise((resolve) => {
    // Elements that were opened already; this world keeps it as long as the document is there.
    globalThis.poolwrightOpened ??= new WeakSet();
    const opened = globalThis.poolwrightOpened;
    const observed = new WeakSet();
    let changed = performance.now();
    let [timer, due, cost] = [0, Infinity, 0];
    let isOver = false;

    const fold = (text) => text.replaceAll("\u2019", "'").toLowerCase().split(/\s+/).join(" ").trim();
    const isShown = (element) => dom.boxes(element).length > 0;
    const isEnabled = (element) =>
      dom.attribute(element, "disabled") === null &&
      dom.attribute(element, "aria-disabled") !== "true" &&
      !/(^|[\s_-])disabled($|[\s_-])/.test(dom.attribute(element, "class") ?? "");
    const hasText = (element) => {
      if (spec.text.length === 0) return true;
      const text = fold(dom.text(element) || dom.attribute(element, "aria-label") || dom.attribute(element, "title") || "");
      return spec.text.some((wanted) => text.includes(fold(wanted)));
    };
    const roots = () => {
      const found = dom.roots();
      for (const root of found) {
        if (observed.has(root)) continue;
        observed.add(root);
        observer.observe(root, { subtree: true, childList: true, attributes: true, characterData: true });
        dom.listen(root, "load", soon, true);
      }
      return found;
    };
    const isUsable = (element) =>
      (spec.shows_hidden || isShown(element)) &&
      hasText(element) &&
      (!spec.is_enabled || isEnabled(element)) &&
      (!spec.skips_opened || !opened.has(element));
    const matches = (all) =>
      spec.selector ? all.flatMap((root) => [...dom.all(root, spec.selector)]).filter(isUsable) : [document];

    const addressOf = (element) => {
      for (const name of [...spec.address_attributes, dom.viewedBy(element)]) {
        const value = name && dom.attribute(element, name);
        if (!value || value === "#") continue;
        try {
          return new URL(value, dom.base(element)).href;
        } catch {
          continue;
        }
      }
      return "";
    };
    // What would open a window is opened in the tab itself: only the requests of the tab are guarded.
    const stayInTab = (element) => {
      for (let place = element; place; place = dom.parent(place)) {
        if (["a", "area", "form"].includes(dom.tag(place))) dom.setAttribute(place, "target", "_self");
        if (["button", "input"].includes(dom.tag(place))) dom.setAttribute(place, "formtarget", "_self");
      }
    };
    const click = (element) => {
      stayInTab(element);
      if (dom.isHtml(element)) dom.click(element);
      else dom.dispatch(element, new MouseEvent("click", { bubbles: true, cancelable: true, composed: true }));
    };
    const focus = (element) => {
      stayInTab(element);
      dom.focus(element);
    };
    const fill = (element) => {
      focus(element);
      dom.setValue(element, spec.value);
      for (const kind of ["input", "change"]) dom.dispatch(element, new Event(kind, { bubbles: true, composed: true }));
    };
    // Returns whether the element could still scroll.
    const scroll = (element) => {
      const place = dom.isDocument(element) || element === document.documentElement ? document.scrollingElement : element;
      const before = place.scrollTop;
      place.scrollTop = before + Math.max(50, 0.8 * place.clientHeight);
      return place.scrollTop > before + 1;
    };
    const act = (elements) => {
      const [element] = elements;
      if (spec.action === "click") click(element);
      if (spec.action === "fill") fill(element);
      if (spec.action === "focus") focus(element);
      if (spec.action === "scroll") return { has_moved: scroll(element) };
      if (spec.action === "expand") {
        const fresh = elements.slice(0, spec.count_max);
        for (const one of fresh) opened.add(one);
        fresh.forEach(click);
      }
      if (spec.action === "addresses") return { addresses: elements.map(addressOf) };
      return {};
    };

    const finish = (end, elements) => {
      isOver = true;
      clearTimeout(timer);
      clearTimeout(limit);
      observer.disconnect();
      resolve({ end, count: elements.length, ...(elements.length > 0 ? act(elements) : {}) });
    };
    const look = () => {
      if (isOver) return;
      due = Infinity;
      const began = performance.now();
      const elements = matches(roots());
      if (elements.length > 0) return finish("found", elements);
      const quiet_ms = performance.now() - changed;
      if (spec.stops_when_quiet && dom.state(document) === "complete" && quiet_ms >= spec.quiet_ms)
        return finish("quiet", []);
      cost = performance.now() - began;
      wake(Math.max(20, spec.stops_when_quiet ? spec.quiet_ms - quiet_ms : 250));
    };
    // A page that changes all the time is still looked at, but for at most a fifth of the time.
    const wake = (wish_ms) => {
      const at = performance.now() + Math.max(wish_ms, 4 * cost);
      if (isOver || at >= due) return;
      due = at;
      clearTimeout(timer);
      timer = setTimeout(look, at - performance.now());
    };
    const soon = () => {
      changed = performance.now();
      wake(20);
    };
    const observer = new MutationObserver(soon);
    const limit = setTimeout(() => {
      const elements = matches(roots());
      finish(elements.length > 0 ? "found" : "late", elements);
    }, spec.limit_ms);
    dom.listen(document, "readystatechange", soon);
    look();
    if (!isOver && spec.limit_ms <= 0) finish("late", []);
  });
