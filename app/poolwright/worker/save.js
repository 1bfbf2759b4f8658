// Saves what an address holds, or what the page itself shows. In a world of its own, as click.js.
(address) => {
  const link = Document.prototype.createElementNS.call(document, "http://www.w3.org/1999/xhtml", "a");
  link.href = address || location.href;
  link.download = "";
  link.click();
};
