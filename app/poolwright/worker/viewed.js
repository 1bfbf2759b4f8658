// Returns the address and the declared media type of each document that a viewer within the page shows (embed, object,
// iframe), of each address once. Runs in our isolated world and uses dom.js only, as click.js.
() => {
  const found = new Map();
  for (const root of dom.roots())
    for (const element of dom.all(root, "embed, object, iframe, frame")) {
      const value = dom.viewedBy(element) && dom.attribute(element, dom.viewedBy(element));
      if (!value) continue;
      try {
        const url = new URL(value, dom.base(element));
        if (!url.protocol.startsWith("blob")) url.hash = "";
        found.set(url.href, (dom.attribute(element, "type") ?? "").toLowerCase());
      } catch {
        continue; // no address
      }
    }
  return [...found].slice(0, 100);
};
