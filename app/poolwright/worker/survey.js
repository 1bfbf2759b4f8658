// Counts what each selector of a pack matches, in the document, its open shadow roots and its frames of the same
// origin, as reading.js does. Runs in our isolated world and uses dom.js only.
(spec) => {
  const roots = [];
  const visit = (root) => {
    roots.push(root);
    for (const element of dom.all(root, "*")) {
      const shadow = dom.shadow(element);
      if (shadow) visit(shadow);
      const inner = dom.inner(element);
      if (inner && dom.isPage(inner)) visit(inner);
    }
  };
  visit(document);
  const shorten = (text) => text.replace(/\s+/g, " ").trim().toWellFormed().slice(0, spec.text_chars).toWellFormed();
  return spec.selectors.map((selector) => {
    try {
      const found = roots.flatMap((root) => [...dom.all(root, selector)]);
      const shown = found.filter((element) => dom.boxes(element).length > 0);
      const texts = (shown.length > 0 ? shown : found).slice(0, spec.text_count).map((element) => shorten(dom.text(element)));
      return { selector, count: found.length, shown_count: shown.length, texts };
    } catch (error) {
      return { selector, count: 0, shown_count: 0, texts: [], problem: String(error).slice(0, 200) };
    }
  });
};
