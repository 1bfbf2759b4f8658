// Starts a download of an address, or of the page itself if it is empty. Runs in our isolated world, as click.js.
(address) => {
  const link = Document.prototype.createElementNS.call(document, "http://www.w3.org/1999/xhtml", "a");
  link.href = address || location.href;
  link.download = "";
  link.click();
};
