// Reads everything that a verdict and a download need, in one call, waiting inside the page until it is there.
// `spec` comes from reading.py. Works on the document and on all frames of the same origin.
(spec) =>
  new Promise((resolve) => {
    const documents = (top) => {
      const found = [top];
      for (const frame of top.querySelectorAll("iframe, frame")) {
        let inner = null;
        try {
          inner = frame.contentDocument;
        } catch {
          inner = null; // another origin
        }
        if (inner) found.push(...documents(inner));
      }
      return found;
    };
    const all = (selector) => documents(document).flatMap((part) => [...part.querySelectorAll(selector)]);
    const isShown = (element) => element.getClientRects().length > 0;
    // Half of a pair of code units is no text anywhere else; and a report must fit into a frame.
    const sound = (text, length) => text.toWellFormed().slice(0, length).toWellFormed();
    const textOf = (element) => sound((element.innerText ?? element.textContent ?? "").trim(), 2000);
    const shownText = (selector) => all(selector).filter(isShown).map(textOf).join(" ");
    const fold = (text) => text.replaceAll("\u2019", "'").toLowerCase().split(/\s+/).join(" ");

    const isTrouble = (marks) =>
      marks.selector.some((selector) => all(selector).some(isShown)) ||
      (marks.text.length > 0 &&
        ((shown) => marks.text.some((text) => shown.includes(fold(text))))(fold(marks.within.map(shownText).join(" "))));

    const isPlace = (hash) => /^#!?\//.test(hash ?? "");
    const addressOf = (element) => {
      for (const name of spec.address_attributes) {
        const value = element.getAttribute(name);
        if (!value || value.startsWith("#")) continue;
        try {
          const url = new URL(value, element.ownerDocument.baseURI);
          if (isPlace(url.hash)) return ""; // a place of a page that draws itself: only a click leads there
          url.hash = "";
          if (url.protocol === "http:" || url.protocol === "https:") return url.href;
        } catch {
          continue;
        }
      }
      return "";
    };
    const attribute = (element, name) => sound(element.getAttribute(name) ?? "", 1000);
    const namesOf = (element, address) => ({
      download: attribute(element, "download"),
      title: attribute(element, "title"),
      "aria-label": attribute(element, "aria-label"),
      text: textOf(element),
      address: address ? address.split(/[?#]/)[0].split("/").pop() : "",
    });
    const merge = (known, names) => {
      for (const name of Object.keys(names))
        if (names[name] && names[name] !== known[name]) known[name] += `${known[name] && "\n"}${names[name]}`;
    };
    const linksOf = () => {
      const links = [];
      const elements = new Set();
      const addresses = new Map(); // an icon and a text may lead to one file: it is one link with both their names
      const add = (selector, element, index) => {
        if (elements.has(element)) return;
        elements.add(element);
        const address = addressOf(element);
        const key = address || (isPlace(element.hash) ? element.href : "");
        const names = namesOf(element, address);
        const known = key && links.at(addresses.get(key) ?? links.length);
        if (known) return merge(known.names, names);
        if (key) addresses.set(key, links.length);
        links.push({ address, selector, index, names });
      };
      for (const selector of spec.links) all(selector).forEach((element, index) => add(selector, element, index));
      for (const selector of spec.clicks) all(selector).forEach((element, index) => add(selector, element, index));
      return links;
    };
    const countOf = () => {
      const element = spec.count ? all(spec.count.selector)[0] : null;
      if (!element) return null;
      const text = spec.count.attribute ? element.getAttribute(spec.count.attribute) : textOf(element);
      const number = Number.parseInt((text ?? "").replace(/\D+/g, ""), 10);
      return Number.isNaN(number) ? null : number;
    };
    const fieldOf = (rule) => {
      for (const element of rule.selector.flatMap(all)) {
        const text = rule.attribute ? attribute(element, rule.attribute) : textOf(element);
        if (text.trim()) return text.trim();
      }
      return "";
    };

    const isLoaded = () => documents(document).every((part) => part.readyState === "complete");
    const isArrived = (quiet_ms) =>
      spec.settled.length > 0 ? spec.settled.some((selector) => all(selector).length > 0) : quiet_ms >= spec.quiet_ms;

    let changed = performance.now();
    let timer = 0;
    const finish = (is_settled) => {
      clearTimeout(timer);
      clearTimeout(limit);
      observer.disconnect();
      document.removeEventListener("load", look, true);
      resolve({
        url: location.href,
        is_settled,
        present: spec.selectors.filter((selector) => all(selector).some(isShown)),
        texts: Object.fromEntries(spec.within.map((selector) => [selector, shownText(selector)])),
        links: linksOf(),
        count: countOf(),
        fields: Object.fromEntries(Object.entries(spec.fields).map(([name, rule]) => [name, fieldOf(rule)])),
      });
    };
    const look = () => {
      clearTimeout(timer);
      if (document.readyState !== "loading" && spec.trouble.some(isTrouble)) return finish(true);
      const quiet_ms = performance.now() - changed;
      if (isLoaded() && isArrived(quiet_ms)) return finish(true);
      timer = setTimeout(look, Math.max(20, spec.quiet_ms - quiet_ms));
    };
    const observer = new MutationObserver(() => {
      changed = performance.now();
      clearTimeout(timer);
      timer = setTimeout(look, 20);
    });
    observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    document.addEventListener("load", look, true);
    const limit = setTimeout(() => finish(false), spec.limit_ms);
    look();
  });
