// Reads all that the verdict and the downloads need, in one call that waits inside the page until it is complete.
// `spec` comes from page_reader.py. Runs in our isolated world, on the document, its open shadow roots and all frames
// of the same origin, and uses dom.js only.
(spec) =>
  new Promise((resolve) => {
    const observed = new WeakSet();
    const watch = (root) => {
      if (observed.has(root)) return;
      observed.add(root);
      observer.observe(root, { subtree: true, childList: true, attributes: true, characterData: true });
      dom.listen(root, "load", soon, true);
    };
    // Documents before shadow roots: click.js finds an element by its number in this order.
    let roots = [];
    let elementCount = 0;
    let isTooDeep = false;
    let strangers = [];
    let viewers = []; // elements that show a file, or may show one
    let hasBlankFrame = false; // one that still loads, or whose document was saved or refused by the browser
    let shownFiles = new Map(); // addresses of the files in those whose page is a viewer, such as viewer.html?file=/a.pdf
    const explore = () => {
      const documents = [];
      const shadows = [];
      elementCount = 0;
      strangers = [];
      viewers = [];
      hasBlankFrame = false;
      shownFiles = new Map();
      isTooDeep = false;
      const visit = (root, kind, depth) => {
        kind.push(root);
        elementCount += dom.countAll(root);
        isTooDeep ||= depth > spec.depth_max || documents.length + shadows.length > spec.roots_max;
        if (isTooDeep || elementCount > spec.elements_max) return;
        watch(root);
        for (const element of dom.all(root, "*")) {
          const shadow = dom.shadow(element);
          if (shadow) visit(shadow, shadows, depth + 1);
          if (dom.viewedBy(element)) enter(element, depth + 1);
        }
      };
      const enter = (element, depth) => {
        const inner = dom.inner(element); // null if it is of another origin, or a file that no viewer shows
        if (inner && dom.isPage(inner)) visit(inner, documents, depth);
        const file = fileOf(element, inner);
        if (file && !isTiny(element)) {
          shownFiles.set(element, file);
          viewers.push(element);
        }
        // A frame whose document was saved or refused by the browser stays blank.
        if (inner && dom.isPage(inner) && dom.url(inner) !== "about:blank") return;
        if (inner && /^(image|audio|video)\//.test(dom.mediaType(inner))) return;
        if (isTiny(element)) return;
        hasBlankFrame ||= Boolean(inner) && dom.url(inner) === "about:blank";
        if (!file) viewers.push(element);
        if (!inner && dom.isFrame(element)) strangers.push(element.src);
      };
      visit(document, documents, 0);
      roots = [...documents, ...shadows];
    };
    // The address of the file that the page in a frame shows, judged by that page's own address; "" if there is none.
    const isFile = /\.(docx?|dwg|dxf|eml|msg|odp|ods|odt|pdf|pptx?|rtf|tiff?|xls[bmx]?|xps)$/i;
    const isFileKey = /^(doc(ument)?|file|pdf|src|url)$/i;
    const isViewerPath = /\bviewer(js)?\b|\/g?view$|\/op\/(embed|view)\.aspx$/i;
    // Viewers that are known without a look into them: in a frame that is of another origin, or still loads.
    const isViewerAddress = /\/viewer\.html?$|^docs\.google\.com\/.*(view|viewer)$|^view\.officeapps\.live\.com\/op\//i;
    const fileOf = (element, inner) => {
      const isPage = inner && dom.isPage(inner) && dom.url(inner) !== "about:blank";
      try {
        const url = new URL(isPage ? dom.url(inner) : dom.attribute(element, dom.viewedBy(element)), dom.base(element));
        return url.protocol.startsWith("http") ? fileIn(url, isPage) : "";
      } catch {
        return "";
      }
    };
    const fileIn = (url, isPage) => {
      if (!isPage && !isViewerAddress.test(`${url.hostname}${url.pathname}`)) return ""; // it may be the file itself
      const isViewer = isViewerPath.test(url.pathname);
      for (const [key, value] of [...url.searchParams, ["", decodeURIComponent(url.hash.slice(1))]])
        if (value && (isFile.test(value.split(/[?#]/)[0]) || (isViewer && isFileKey.test(key)))) return new URL(value, url).href;
      return "";
    };
    const isTiny = (element) => {
      const { width, height } = dom.box(element);
      if (dom.viewedBy(element) === "src") return width < spec.frame_min || height < spec.frame_min;
      // An object that cannot show its file shows what is in it instead, perhaps nothing.
      const sides = [dom.attribute(element, "width"), dom.attribute(element, "height")].map(Number.parseFloat);
      return sides.some((side) => side < spec.frame_min) || dom.boxes(element).length === 0;
    };
    const all = (selector) => roots.flatMap((root) => [...dom.all(root, selector)]);
    const isShown = (element) => dom.boxes(element).length > 0;
    // Other programs reject half of a surrogate pair, and a report must fit into a frame.
    const wellFormed = (text, length) => text.toWellFormed().slice(0, length).toWellFormed();
    const textOf = (element) => wellFormed(dom.text(element).trim(), 2000);
    const shownText = (selector) => all(selector).filter(isShown).map(textOf).join(" ");
    const fold = (text) => text.replaceAll("\u2019", "'").toLowerCase().split(/\s+/).join(" ");

    const isMarked = (marks) =>
      marks.selector.some((selector) => all(selector).some(isShown)) ||
      (marks.text.length > 0 &&
        ((shown) => marks.text.some((text) => shown.includes(fold(text))))(fold(marks.within.map(shownText).join(" "))));

    // A table of marks with conditions; `is_met` tells of marks that are not on the page itself, such as its address.
    const isSetMet = (set) => set.is_met || isMarked(set);
    const isTableMet = (table) =>
      (table.own === null || isSetMet(table.own)) && table.all.every(isSetMet) && !table.not.some(isSetMet);

    const isRoute = (hash) => /^#!?\//.test(hash ?? "");
    // Schemes that only the page itself can follow; any other address can be downloaded, or is refused at once.
    const byClick = new Set(["javascript:", "blob:", "data:"]);
    const isMessage = (address) => address.startsWith("mailto:") || address.startsWith("tel:");
    const addressOf = (element) => {
      for (const name of [...spec.address_attributes, dom.viewedBy(element)]) {
        const value = (name && name === dom.viewedBy(element) && shownFiles.get(element)) || (name && dom.attribute(element, name));
        if (!value || value.startsWith("#")) continue;
        try {
          const url = new URL(value, dom.base(element));
          if (isRoute(url.hash)) return ""; // a route inside a script page: only a click leads there
          url.hash = "";
          if (!byClick.has(url.protocol)) return url.href;
        } catch {
          continue;
        }
      }
      return "";
    };
    const attribute = (element, name) => wellFormed(dom.attribute(element, name) ?? "", 1000);
    // The nearest element around, also outside of the shadow roots that the element is in.
    const closest = (element, selector) => {
      for (let inner = element; inner; ) {
        const found = dom.closest(inner, selector);
        if (found) return found;
        const root = dom.rootOf(inner);
        inner = roots.includes(root) && !dom.isDocument(root) ? dom.host(root) : null;
      }
      return null;
    };
    // The first element within another one, also within the shadow roots there.
    const within = (around, selector) => {
      const [found] = dom.all(around, selector);
      if (found) return found;
      for (const element of dom.all(around, "*")) {
        const shadow = dom.shadow(element);
        const inner = shadow && within(shadow, selector);
        if (inner) return inner;
      }
      return null;
    };
    const textAt = (element, place) => {
      const around = place.closest ? closest(element, place.closest) : element;
      const target = around && place.selector ? within(around, place.selector) : around;
      if (!target) return "";
      return place.attribute ? attribute(target, place.attribute) : textOf(target);
    };
    const namesOf = (element, address) => ({
      ...Object.fromEntries(Object.entries(spec.names).map(([key, place]) => [key, textAt(element, place)])),
      download: attribute(element, "download"),
      title: attribute(element, "title"),
      "aria-label": attribute(element, "aria-label"),
      text: textOf(element),
      address: address ? address.split(/[?#]/)[0].split("/").pop() : "",
    });
    const merge = (merged, names) => {
      for (const name of Object.keys(names))
        if (names[name] && names[name] !== merged[name]) merged[name] += `${merged[name] && "\n"}${names[name]}`;
      return merged;
    };
    // The address without the parameters that differ each time.
    const identityOf = (address) => {
      if (!address || spec.ignore_query.length === 0) return address;
      const url = new URL(address);
      for (const name of spec.ignore_query) url.searchParams.delete(name);
      return url.href;
    };
    const linksOf = () => {
      const links = [];
      const elements = new Set();
      const byAddress = new Map(); // an icon and a text may lead to one file: they are one link with the names of both
      for (const selector of [...spec.links, ...spec.clicks]) {
        all(selector).forEach((element, index) => {
          if (elements.has(element)) return;
          elements.add(element);
          const address = addressOf(element);
          const sources = spec.sources.map((place) => textAt(element, place));
          const source = sources.some(Boolean) ? JSON.stringify(sources) : "";
          if (isMessage(address)) return;
          const key = source || identityOf(address) || (isRoute(element.hash) ? element.href : "");
          if (key && byAddress.has(key)) return byAddress.get(key).others.push(element);
          const link = { element, others: [], address, sources, selector, index };
          if (key) byAddress.set(key, link);
          links.push(link);
        });
      }
      return links;
    };
    // Addresses of the files in viewers; only the kind of an address within the page itself.
    const isMedia = /^(image|audio|video)\/|flash|java|silverlight/i;
    const isPicture = /\.(avif|bmp|gif|ico|jpe?g|mp[34]|png|svg|swf|webm|webp)$/i;
    const drawnPages = ".pdfViewer [data-page-number], .react-pdf__Page"; // of pdf.js and of the components around it
    const documentsOf = (linkCount) => {
      const addresses = new Set();
      for (const element of viewers) {
        const address = addressOf(element);
        const value = shownFiles.get(element) ?? dom.attribute(element, dom.viewedBy(element)) ?? "";
        const own = /^(blob|data):/i.exec(value)?.[0] ?? "";
        const type = dom.attribute(element, "type") ?? /^data:([^;,]*)/i.exec(value)?.[1] ?? "";
        if (isMedia.test(type) || isPicture.test(address.split(/[?#]/)[0])) continue;
        if (address.startsWith("http") || own) addresses.add(wellFormed(own || address, 2000));
      }
      // Beside links it may be a preview of one of their files.
      for (const root of linkCount === 0 ? roots : [])
        if (dom.isDocument(root) && [...dom.all(root, drawnPages)].some(isShown)) addresses.add(drawnFile(root));
      return [...addresses].slice(0, 100);
    };
    const drawnFile = (root) => {
      const address = /^http/.test(dom.url(root)) ? dom.url(root) : location.href;
      try {
        return wellFormed(fileIn(new URL(address), true) || address, 2000);
      } catch {
        return wellFormed(address, 2000);
      }
    };
    // What the links are, so that another page of the list is told from the one before it.
    const rowOf = (element) => (spec.row ? wellFormed(dom.rowText(element, spec.row), 1000) : "");
    const signature = () => {
      const keys = linksOf().map(({ element, address }) => [address, textOf(element), rowOf(element)]);
      return wellFormed(JSON.stringify(keys), 1000000);
    };
    const linkOf = ({ element, others, address, sources, selector, index }) => ({
      around: address ? "" : dom.aroundText(element, selector),
      total: address ? 0 : all(selector).length,
      address,
      sources,
      conditions: spec.conditions.map((place) => textAt(element, place)),
      selector,
      index,
      size: spec.size ? ([element, ...others].map((one) => textAt(one, spec.size)).find(Boolean) ?? "") : "",
      section: spec.section ? ([element, ...others].map((one) => textAt(one, spec.section)).find(Boolean) ?? "") : "",
      row: rowOf(element),
      route: !address && isRoute(element.hash) ? wellFormed(element.href, 2000) : "",
      names: others.reduce((names, other) => merge(names, namesOf(other, address)), namesOf(element, address)),
    });
    const consentClickOf = () => {
      for (const selector of spec.consent_clicks) {
        const found = all(selector);
        const index = found.findIndex(isShown);
        if (index >= 0) return { address: "", selector, index, names: { text: textOf(found[index]) } };
      }
      return null;
    };
    // Of several, such as those of each tab, the one that is to be seen.
    const countOf = () => {
      const found = spec.count ? all(spec.count.selector) : [];
      const element = found.find(isShown) ?? found[0];
      if (!element) return null;
      const text = spec.count.attribute ? dom.attribute(element, spec.count.attribute) : textOf(element);
      const number = Number.parseInt((text ?? "").replace(/\D+/g, ""), 10);
      return Number.isNaN(number) ? null : number;
    };
    const fieldOf = (rule) => {
      const texts = [];
      for (const element of new Set(rule.selector.flatMap(all))) {
        const text = rule.attribute ? attribute(element, rule.attribute) : textOf(element);
        if (text.trim()) texts.push(text.trim());
        if (texts.length === (rule.many ? spec.values_max : 1)) break;
      }
      return texts;
    };

    const isTooLarge = () => {
      if (elementCount > spec.elements_max || isTooDeep) return true;
      const count = [...spec.links, ...spec.clicks].reduce((sum, selector) => sum + all(selector).length, 0);
      return count > spec.links_max && linksOf().length > spec.links_max; // several elements may lead to one file
    };
    const isParsed = () => dom.state(document) !== "loading";
    const isLoaded = () => roots.every((root) => !dom.isDocument(root) || dom.state(root) === "complete");
    const isQuietFor = (time_ms) => performance.now() - changed >= time_ms;
    const isQuiet = () => isQuietFor(spec.quiet_ms);
    const isSettled = () => spec.settled.some((selector) => all(selector).length > 0);
    const isDeclaredEmpty = () => (spec.empty !== null && isMarked(spec.empty)) || countOf() === 0;
    // A page that goes on to another: a form that submits itself, a refresh, or a page without anything to use.
    const isWaiting = () => {
      const fields = "input:not([type=hidden]), select, textarea";
      if (all(fields).some(isShown)) return false;
      if (all("meta[http-equiv=refresh i]").length > 0) return true;
      const usable = `${fields}, button, [role=button]`;
      if (all("form").some((form) => ![...dom.all(form, usable)].some(isShown))) return true;
      return !all(`${usable}, a[href]`).some(isShown);
    };

    // A list that is there without a file may be no list any more: scripts get the time in which they may add to one.
    const isWatched = () => spec.is_answered || !isScripted() || isQuietFor(spec.watch_ms);
    // Whether a blank frame shows a file is known when the page has loaded.
    const isKnown = () => isQuiet() && (!hasBlankFrame || isLoaded() || isPatienceOver());
    const isStillEmpty = () => isKnown() && isWatched();
    const isEmptyForGood = () => isDeclaredEmpty() && (!spec.is_empty_by_shape || countOf() === 0 || isStillEmpty());

    const isListComplete = () => {
      if (spec.awaits_answer) return false;
      const count = linksOf().length;
      if (spec.previous !== null && signature() === spec.previous) return false;
      if (spec.settled.length > 0) {
        if (!isSettled()) return false;
        return count > 0 || isEmptyForGood() || ((spec.believes_settled || spec.is_answered) && isStillEmpty());
      }
      if (!isQuiet()) return false;
      const counted = countOf();
      if (!isLoaded() && !(counted > 0 && counted === count) && !isPatienceOver()) return false;
      if (count === 0 && spec.stops_for_frames && strangers.length > 0) return true;
      // A page of several shows a part of the files that it announces.
      const isPart = spec.is_part && counted > 0;
      const isCounted = counted !== null && !isPart && (spec.counts_links || counted === 0);
      return isCounted ? counted === count : count > 0 || isEmptyForGood() || spec.is_answered;
    };
    // A page that draws itself by scripts may show its mark before it knows whether a user is logged in.
    const hasScripts = () => all("script:not([type*=json])").length > 0;
    const isScripted = () =>
      all("script:not([type*=json])").some((script) => dom.attribute(script, "src") || dom.text(script).trim() !== "");
    const isSteady = () => isQuiet() || (isLoaded() && (!hasScripts() || isPatienceOver()));
    const isReady = () => (spec.is_expected || spec.ready.some(isTableMet)) && isSteady();
    // What a table excludes may still be drawn.
    const isRefused = (table) => isTableMet(table) && (table.not.length === 0 || isSteady());
    // A page that draws itself may show an empty frame before its content: a refusal must last.
    let refusedSince = Infinity;
    const isRefusedForGood = () => {
      const now = performance.now();
      refusedSince = spec.refusals.some(isTableMet) ? Math.min(refusedSince, now) : Infinity;
      if (refusedSince === Infinity) return false;
      return isQuiet() || (isLoaded() && (!hasScripts() || now - refusedSince >= spec.patience_ms));
    };
    const isComplete = () => {
      if (!isParsed() || (spec.is_after_click && !isQuiet())) return false;
      if (spec.is_login) return (isLoaded() || isQuiet()) && !isWaiting();
      if (spec.trouble.some(isRefused)) return true;
      if (isRefusedForGood()) return true;
      if (refusedSince < Infinity) return false;
      if (spec.is_list) return isListComplete();
      if (isReady()) return true;
      if (spec.is_any_page && isQuiet() && !isWaiting()) return true;
      return spec.is_refused && (spec.has_exclusions ? isSteady() : isLoaded() || isQuiet());
    };

    const start = location.href;
    let changed = performance.now();
    // An image or a tracker that hangs keeps a page from ever being loaded.
    const isPatienceOver = () => performance.now() >= spec.patience_ms;
    let timer = 0;
    let due = Infinity;
    let cost = 0;
    let isOver = false;
    const finish = (end) => {
      isOver = true;
      clearTimeout(timer);
      clearTimeout(limit);
      observer.disconnect();
      const seen = { url: location.href, element_count: elementCount };
      if (isTooLarge()) {
        const isByLinks = elementCount <= spec.elements_max && !isTooDeep;
        return resolve({ ...seen, end: "too_large", link_count: isByLinks ? linksOf().length : 0 });
      }
      const links = linksOf();
      resolve({
        ...seen,
        end,
        link_count: links.length,
        present: spec.selectors.filter((selector) => all(selector).some(isShown)),
        texts: Object.fromEntries(spec.within.map((selector) => [selector, shownText(selector)])),
        links: links.map(linkOf),
        signature: spec.is_part ? signature() : "",
        count: countOf(),
        is_scripted: isScripted(),
        is_said_empty: isDeclaredEmpty(),
        is_settled: isSettled(),
        strangers,
        documents: documentsOf(links.length),
        consent_click: consentClickOf(),
        fields: Object.fromEntries(Object.entries(spec.fields).map(([name, rule]) => [name, fieldOf(rule)])),
      });
    };
    const look = () => {
      if (isOver) return;
      due = Infinity;
      const begun = performance.now();
      if (isParsed()) explore();
      else [roots, elementCount] = [[document], dom.countAll(document)]; // observers would slow down the loading
      if (isTooLarge()) return finish("too_large");
      if (location.href !== start) return finish("moved");
      if (isComplete()) return finish("arrived");
      cost = performance.now() - begun;
      wake(isParsed() ? Math.max(20, spec.quiet_ms - (performance.now() - changed)) : 100);
    };
    // A page that changes all the time is still checked, but for at most a fifth of the time.
    const wake = (wish_ms) => {
      const at = performance.now() + Math.max(wish_ms, 4 * cost);
      if (isOver || at >= due) return;
      due = at;
      clearTimeout(timer);
      timer = setTimeout(look, at - performance.now());
    };
    const soon = () => wake(20);
    const observer = new MutationObserver(() => {
      changed = performance.now();
      soon();
    });
    const limit = setTimeout(() => {
      explore();
      finish(!isTooLarge() && isComplete() ? "arrived" : "late");
    }, spec.limit_ms);
    dom.listen(document, "readystatechange", () => {
      changed = performance.now();
      soon();
    });
    look();
  });
