// The panel with which a person says which page is what. It runs in an isolated world in the top frame, and its elements
// are in a closed shadow root: scripts and styles of the page cannot reach it. `poolwrightTell` is bound to
// teaching_panel.py and exists in this world only.
(() => {
  if (window !== window.top || globalThis.poolwrightShow) return;
  const TALLEST = "2147483647";
  const COUNT_MAX = 100;
  // A page is noted once it shows the same for a while, since many draw a list twice; one that never rests, after a time.
  const [QUIET_MS, PATIENCE_MS] = [400, 4000];
  // Earlier states of a page that stayed for a while, from which a list is seen to arrive in parts.
  const [EARLY_MAX, EARLY_MS] = [6, 300];
  const getter = (kind, name) => {
    const { get } = Object.getOwnPropertyDescriptor(kind.prototype, name);
    return (node) => get.call(node);
  };
  const typeOf = getter(Node, "nodeType");
  const childrenOf = getter(Node, "childNodes");
  const attributesOf = getter(Element, "attributes");
  const tagOf = getter(Element, "localName");
  const shadowOf = getter(Element, "shadowRoot");
  const isConnected = getter(Node, "isConnected");
  const parentOf = getter(Node, "parentNode");
  const textOf = (element) => String(getter(HTMLElement, "innerText")(element) ?? "").trim();
  const boxesOf = (element) => Element.prototype.getClientRects.call(element);

  // The document of a frame of the same portal; null for others.
  const documentOf = (node) => {
    if (tagOf(node) !== "iframe") return null;
    try {
      return getter(HTMLIFrameElement, "contentDocument")(node);
    } catch {
      return null;
    }
  };

  // What a script wrote into a field that can be read; null for other elements, and for what a person typed.
  const READABLE = /^(text|search|number|email|tel|url|date|month|week|time|datetime-local)$/;
  const fieldKinds = { input: HTMLInputElement, textarea: HTMLTextAreaElement };
  const typeOfField = getter(HTMLInputElement, "type");
  const typedIn = new WeakSet();
  const valueIn = (node) => {
    const kind = node instanceof HTMLElement ? fieldKinds[tagOf(node)] : undefined;
    if (!kind || typedIn.has(node) || (tagOf(node) === "input" && !READABLE.test(typeOfField(node)))) return null;
    return String(getter(kind, "value")(node));
  };

  // What is shown now: the source of the page as it stands, with marks for hidden and for clicked elements.
  const VOID = new Set(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]);
  const LEFT_OUT = new Set(["script", "style", "noscript", "link"]);
  const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const quote = (text) => escape(text).replaceAll('"', "&quot;");
  const write = (node, out, isHidden) => {
    if (typeOf(node) === 3) return out.push(escape(node.data));
    if (typeOf(node) !== 1 || node === host || LEFT_OUT.has(tagOf(node))) return;
    const tag = tagOf(node);
    out.push(`<${tag}`);
    const isSecret = tag === "input" && /^(password|hidden)$/i.test(node.getAttribute("type") ?? "");
    const written = isOrder ? valueIn(node) : null;
    const isWritten = tag === "input" && written !== null;
    for (const { name, value } of attributesOf(node)) {
      if (/^[\w:.-]+$/.test(name) && !((isSecret || isWritten) && name === "value")) out.push(` ${name}="${quote(value)}"`);
    }
    if (isWritten) out.push(` value="${quote(written)}"`);
    const hides = !isHidden && !["html", "head", "body"].includes(tag) && boxesOf(node).length === 0 && tag !== "br";
    if (hides) out.push(" data-poolwright-hidden");
    if (clicked.has(node)) out.push(" data-poolwright-clicked");
    if (isOrder && openers.has(node)) out.push(` data-poolwright-opened="${openers.get(node)}"`);
    if (isOrder && openers.size > 0 && !before.has(node) && boxesOf(node).length > 0) out.push(" data-poolwright-late");
    if (node === further) out.push(" data-poolwright-next");
    if (node === searched?.field) out.push(" data-poolwright-field");
    if (node === searched?.button) out.push(" data-poolwright-submit");
    out.push(">");
    if (VOID.has(tag)) return;
    if (written !== null) return out.push(`${escape(written)}</${tag}>`);
    const inner = documentOf(node);
    if (inner?.body) {
      observe(inner);
      out.push(`</${tag}><poolwright-frame><template shadowrootmode="open"`);
      out.push(` data-poolwright-address="${quote(inner.baseURI)}">`);
      for (const child of childrenOf(inner.body)) write(child, out, isHidden || hides);
      return out.push("</template></poolwright-frame>");
    }
    const root = shadowOf(node);
    if (root) {
      observe(root);
      out.push('<template shadowrootmode="open">');
      for (const child of childrenOf(root)) write(child, out, isHidden || hides);
      out.push("</template>");
    }
    for (const child of childrenOf(node)) write(child, out, isHidden || hides);
    out.push(`</${tag}>`);
  };
  let isOrder = false; // values of fields are kept with the pages of orders alone
  const source = (kind) => {
    const out = ["<!DOCTYPE html>"];
    isOrder = kind === "order";
    write(document.documentElement, out, false);
    return out.join("").toWellFormed();
  };

  // When something that is noted changed last: in the document, its shadow roots and its frames.
  let changed = performance.now();
  const observed = new WeakSet();
  const isOwnChange = ({ type, addedNodes, removedNodes }) =>
    type === "childList" && [...addedNodes, ...removedNodes].every((node) => node === host);
  const observer = new MutationObserver((changes) => {
    if (changes.every(isOwnChange)) return;
    changed = performance.now();
    clearTimeout(early.timer);
    if (!noted) early.timer = setTimeout(keepEarly, EARLY_MS);
  });
  const observe = (root) => {
    if (observed.has(root)) return;
    observed.add(root);
    observer.observe(root, { childList: true, subtree: true, characterData: true, attributes: true });
    changed = performance.now();
  };

  // How the page was while its content arrived.
  const early = { timer: 0, states: [] };
  const keepEarly = () => {
    if (noted || !document.body) return;
    early.states = [...early.states, { address: location.href, html: source() }].slice(-EARLY_MAX);
  };

  let isWaiting = false;
  const whenQuiet = (act) => {
    source(); // finds the parts of the page that are to be observed
    const end = performance.now() + PATIENCE_MS;
    const look = () => {
      const left = Math.min(changed + QUIET_MS, end) - performance.now();
      isWaiting = left > 0;
      if (!isWaiting) return act();
      say("One moment: the page is still changing.");
      setTimeout(look, left);
    };
    look();
  };

  // Where an element is, to find it again when the page draws its rows anew.
  const elementsIn = (node) => [...childrenOf(node)].filter((child) => typeOf(child) === 1 && child !== host);
  const placeOf = (element) => {
    const steps = [];
    for (let node = element; node && node !== document; ) {
      const parent = parentOf(node);
      if (parent) steps.unshift(elementsIn(parent).indexOf(node));
      else if (typeOf(node) === 11) steps.unshift("shadow");
      else if (typeOf(node) === 9) steps.unshift("frame");
      else return null;
      node = parent ?? (typeOf(node) === 11 ? node.host : node.defaultView?.frameElement);
    }
    return { steps, tag: tagOf(element), text: textOf(element) };
  };
  const elementAt = (place) => {
    let node = document;
    for (const step of place?.steps ?? [-1]) {
      node = step === "shadow" ? shadowOf(node) : step === "frame" ? documentOf(node) : elementsIn(node)[step];
      if (!node) return null;
    }
    return tagOf(node) === place.tag && textOf(node) === place.text ? node : null;
  };
  // Whether every clicked element is on the page, or another one in its place that says the same.
  const areClickedShown = () => {
    for (const [element, place] of [...clicked]) {
      const again = isConnected(element) ? element : elementAt(place);
      if (!again) return false;
      clicked.delete(element);
      clicked.set(again, place);
    }
    return true;
  };

  let clicked = new Map(); // each element, and where it is
  // What was clicked before, with the elements that were in the page then, and those of them that were to be seen.
  let presses = [];
  let openers = new Map(); // the clicks without which the attachment would not be there, and their order
  let before = null; // what was to be seen before the first of them
  const remember = (element) => {
    const all = [...document.querySelectorAll("*")];
    const [known, shown] = [new WeakSet(all), new WeakSet(all.filter((one) => boxesOf(one).length > 0))];
    presses = [...presses.slice(-4), { element, address: location.href, known, shown }];
  };
  const findOpeners = (file) => {
    const found = [];
    let target = file.getRootNode() === document ? file : null;
    for (const { element, address, known, shown } of presses.toReversed()) {
      if (!target || address !== location.href || !isConnected(element)) break;
      if (known.has(target)) continue;
      found.unshift(element);
      [target, before] = [element, shown];
    }
    openers = new Map(found.map((element, place) => [element, place]));
  };
  let further = null; // the button to the next page of the list
  let searched = null; // the field with a number, and the button that was pressed then
  let noted = null; // the order that a click belongs to
  let picking = "";
  const tell = (message) => poolwrightTell(JSON.stringify({ number: "", attachments: [], supplier: "", ...message }));
  const note = (kind, more) => tell({ kind, address: location.href, html: more?.html ?? source(kind), ...more });
  const noteWhenQuiet = (kind, more) => whenQuiet(() => note(kind, more));

  // While something is to be pointed at, a click is noted and does nothing else.
  const SWALLOWED = ["pointerdown", "mousedown", "pointerup", "mouseup", "click", "auxclick"];
  const onPick = (event) => {
    if (!(picking || isWaiting) || !event.isTrusted || event.composedPath().includes(host)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const element = event.composedPath()[0];
    if (event.type !== "click" || typeOf(element) !== 1) return;
    if (isWaiting || clicked.has(element)) return;
    const [place, wanted] = [placeOf(element), picking]; // another button of the panel may be pressed before it is quiet
    if (!["supplier", "result", "next"].includes(wanted) && clicked.size === 0) findOpeners(element);
    whenQuiet(() => {
      const shown = isConnected(element) ? element : elementAt(place);
      if (shown) return pick(wanted, shown, place);
      say("The page drew its content anew. Click there once more.");
    });
  };
  const pick = (wanted, element, place) => {
    const isShown = areClickedShown();
    if (wanted === "next" && !isShown) {
      picking = "";
      return say("The page drew its list anew. Show this order once more, and point at the next page at once.");
    }
    const name = (valueIn(element) || textOf(element) || element.getAttribute("title") || element.getAttribute("aria-label") || "").split("\n")[0];
    if (wanted === "supplier") noted.supplier = name;
    else if (wanted === "result") {
      clicked.set(element, place);
      noted.result = name.slice(0, 200) || noted.number;
    } else if (wanted === "next") {
      further = element;
      noted.next = name.slice(0, 200) || "next";
    } else {
      clicked.set(element, place);
      noted.attachments.push(name.slice(0, 200) || `element ${clicked.size}`);
    }
    // A page that has the clicked element no more is noted as it was at the click.
    if (isShown) noted.html = source(noted.kind);
    note(noted.kind, noted);
    delete noted.early; // told once
  };
  const watch = (view) => {
    for (const type of SWALLOWED) view.addEventListener(type, onPick, true); // a second time changes nothing
    for (const frame of view.document.querySelectorAll("iframe")) {
      const inner = documentOf(frame);
      if (inner?.defaultView) watch(inner.defaultView);
    }
  };
  watch(window);

  // How the person searches: the page is told as it is before the search, and kept if its results are shown too.
  let typed = null;
  let untouched = null; // the page as it was when the first sign was typed
  const isField = (node) =>
    typeOf(node) === 1 &&
    (tagOf(node) === "textarea" ||
      (tagOf(node) === "input" && /^(text|search|number|tel|)$/i.test(node.getAttribute("type") ?? "")));
  const valueOf = (node) =>
    String(getter(tagOf(node) === "textarea" ? HTMLTextAreaElement : HTMLInputElement, "value")(node)).trim();
  const onSearch = (button) => {
    const field = typed;
    typed = null;
    if (!field || !isConnected(field) || !/\d/.test(valueOf(field))) return;
    if (document.querySelector("input[type=password]")) return;
    tellSearch({ number: valueOf(field), ...pageWith(field, button) });
  };
  const pageWith = (field, button) => {
    searched = { field, button };
    const page = { address: location.href, html: source() };
    searched = null;
    return page;
  };
  const tellSearch = (more) => tell({ kind: "search", ...more });
  // Results that came while the number was typed: nothing was pressed since.
  const onTypedResults = (number) => {
    if (!typed || !untouched || !isConnected(typed) || valueOf(typed) !== number) return;
    tellSearch({ number, typed: true, ...untouched });
  };
  const isOwn = (event) => !event.isTrusted || event.composedPath().includes(host);
  const onInput = (event) => {
    const field = event.composedPath()[0];
    if (isOwn(event)) return;
    typedIn.add(field);
    if (!isField(field)) return;
    // Listeners of the page hear of the sign later, so that nothing was found for it yet.
    if (field !== typed || !untouched) untouched = pageWith(field, null);
    typed = field;
    if (!valueOf(field)) untouched = null;
    if (!picking && /\d{4}/.test(valueOf(field))) number.value = valueOf(field);
  };
  const onKey = (event) => {
    if (!isOwn(event) && event.key === "Enter" && event.composedPath()[0] === typed) onSearch(null);
  };
  const onPress = (event) => {
    if (isOwn(event) || picking) return;
    if (typeOf(event.composedPath()[0]) === 1) remember(event.composedPath()[0]);
    const isButton = (node) =>
      node instanceof Element && /^(button|a|input)$/.test(tagOf(node)) && !isField(node);
    const button = event.composedPath().find(isButton);
    if (button) onSearch(button);
  };
  window.addEventListener("input", onInput, true);
  window.addEventListener("keydown", onKey, true);
  window.addEventListener("click", onPress, true);

  // The panel.
  const host = document.createElement("div");
  const root = host.attachShadow({ mode: "closed" });
  host.style.cssText = `all: initial; position: fixed; right: 12px; bottom: 12px; z-index: ${TALLEST};`;
  const make = (tag, style, text = "") => {
    const element = document.createElement(tag);
    element.style.cssText = style;
    element.textContent = text;
    return element;
  };
  const box = make(
    "div",
    "font: 13px/1.35 system-ui, sans-serif; color: #1b1f24; background: #fff; border: 1px solid #0a66c2;" +
      "border-radius: 8px; padding: 10px 12px; width: 270px; max-height: calc(100vh - 24px); box-sizing: border-box;" +
      "overflow: auto; box-shadow: 0 4px 20px #0004;",
  );
  const title = make("b", "display: block; margin-bottom: 6px;", "Poolwright: what is this page?");
  const hint = make(
    "div",
    "margin: 6px 0 8px; padding: 6px 8px; min-height: 35px; background: #eef5fc; border-radius: 5px;",
  );
  const number = make(
    "input",
    "width: 100%; box-sizing: border-box; margin: 8px 0 4px; padding: 4px 8px; font: inherit; color: inherit;" +
      "border: 1px solid #8c959f; border-radius: 5px; background: #fff;",
  );
  number.placeholder = "Order number, as in your lists";
  const buttons = new Map();
  const FLAT = "font: inherit; color: inherit; border: 1px solid #d0d7de; border-radius: 5px; cursor: pointer;";
  const [PLAIN, NOTED, CHOSEN] = ["#f6f8fa", "#dcf5e3", "#cfe4fb"];
  // What a page is more exactly stands to the right of it.
  const indentOf = (text) => (text.startsWith("\u2026") ? "16px" : "0px");
  const add = (key, text, act) => {
    const indent = indentOf(text);
    const button = make(
      "button",
      `${FLAT} display: block; width: calc(100% - ${indent}); margin: 3px 0 3px ${indent}; padding: 4px 8px;` +
        `text-align: left; background: ${PLAIN};`,
      text,
    );
    button.dataset.text = text;
    button.addEventListener("click", (event) => event.isTrusted && !isWaiting && act());
    buttons.set(key, button);
    return button;
  };
  // The button behind which something on the page is to be clicked.
  const BUTTON_OF = { attachment: "with", supplier: "supplier", next: "next", result: "results" };
  const ask = (what, text) => {
    picking = what;
    watch(window);
    buttons.get(BUTTON_OF[what]).style.background = CHOSEN;
    say(text);
  };
  const say = (text) => (hint.textContent = text);
  const ofOrder = (act) => () => {
    picking = "";
    clicked = new Map();
    openers = new Map();
    further = null;
    noted = null;
    if (number.value.trim()) act(number.value.trim());
    else say("Fill in the order number first.");
  };
  const side = make("button", `${FLAT} float: right; padding: 0 6px; background: ${PLAIN};`, "move");
  side.addEventListener("click", () => {
    const isRight = host.style.right !== "auto";
    host.style.right = isRight ? "auto" : "12px";
    host.style.left = isRight ? "12px" : "auto";
  });
  box.append(
    side,
    title,
    hint,
    add("login", "Login page", () => noteWhenQuiet("login")),
    add("home", "Page after the login", () => noteWhenQuiet("home")),
    number,
    add("with", "Order with attachments", ofOrder((value) => {
      const states = early.states.filter((one) => one.address === location.href).map((one) => one.html);
      noted = { kind: "order", number: value, attachments: [], supplier: "", next: "", early: states };
      ask("attachment", "Now click one attachment of this order. It is noted, not opened.");
    })),
    add("supplier", "… and its supplier", () => {
      if (!noted || noted.attachments.length === 0) return say("First show an order with attachments.");
      ask("supplier", "Now click the name of the supplier.");
    }),
    add("next", "… and its next page", () => {
      if (!noted?.attachments.length && !noted?.result) return say("First show an order with attachments, or results.");
      ask("next", "Now click the button to the next page of the list.");
    }),
    add("without", "Order without attachments", ofOrder((value) => noteWhenQuiet("order", { number: value }))),
    add("results", "Search results", ofOrder((value) => {
      noted = { kind: "results", number: value, attachments: [], supplier: "", next: "", result: "" };
      onTypedResults(value);
      ask("result", "Now click the result that leads to this order. It is noted, not opened.");
    })),
    add("not_found", "Number that does not exist", ofOrder((value) => noteWhenQuiet("not_found", { number: value }))),
    add("forbidden", "Order that you may not see", ofOrder((value) => noteWhenQuiet("forbidden", { number: value }))),
    add("prove", "Try the pack on this number", ofOrder((value) => tell({ kind: "prove", number: value }))),
    add("done", "Finish", () => tell({ kind: "done" })),
  );
  // Menus and lists of the page that close by a click beside them, or when they lose the focus, stay open.
  for (const type of ["keydown", "keyup", "keypress", "focusin", "focusout", ...SWALLOWED])
    root.addEventListener(type, (event) => event.stopPropagation());
  root.addEventListener("mousedown", (event) => event.target === number || event.preventDefault());
  root.append(box);

  globalThis.poolwrightShow = ({ counts, text }) => {
    for (const [key, button] of buttons) {
      const count = counts[key] ?? 0;
      button.textContent = count ? `${button.dataset.text} (${count})` : button.dataset.text;
      button.style.background = count ? NOTED : PLAIN;
    }
    if (picking === "attachment") picking = noted.attachments.length ? "" : picking;
    else if (picking) picking = noted[picking] ? "" : picking;
    if (!picking) say(text);
    else buttons.get(BUTTON_OF[picking]).style.background = CHOSEN;
  };

  let count = 0;
  const guess = () => {
    const found = (location.pathname + location.search + location.hash).match(/\d{4,}/g) ?? [];
    if (!picking) number.value = found.at(-1) ?? number.value;
  };
  const stay = () => {
    if (!document.documentElement || host.isConnected || count > COUNT_MAX) return;
    count += 1;
    document.documentElement.append(host);
    guess();
    tell({ kind: "ready" });
  };
  new MutationObserver(stay).observe(document, { childList: true, subtree: true });
  observe(document);
  window.addEventListener("hashchange", guess);
  window.addEventListener("popstate", guess);
  document.addEventListener("DOMContentLoaded", () => {
    stay();
    // For those who use the keyboard, the panel comes after the page, whose body may have come later than the panel.
    if (document.documentElement.lastElementChild !== host) document.documentElement.append(host);
  });
  if (document.readyState !== "loading") stay();
})();
