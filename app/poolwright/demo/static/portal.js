/* Poolwright demo portal: fetches the attachment list of an order page and renders it. The server appends the
   dictionary that a portal of this kind brings along. */
(() => {
  "use strict";

  const box = document.getElementById("attachments");
  if (!box) return;

  const element = (tag, attributes, text) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (text !== undefined) made.textContent = text;
    return made;
  };

  const say = (text) => box.replaceChildren(element("p", { class: "attachment_note" }, text));

  const short = (name) => (name.length > 60 ? name.slice(0, 57) + "..." : name);

  const common = (file) => ({ class: "attachment_link", title: file.name });

  const makers = {
    anchor: (file) => element("a", { ...common(file), href: file.url }, short(file.name)),
    download_anchor: (file) => element("a", { ...common(file), href: file.url, download: file.name }, short(file.name)),
    data_url: (file) => {
      const link = element("span", { ...common(file), "data-url": file.url, role: "link", tabindex: "0" }, short(file.name));
      link.addEventListener("click", () => location.assign(file.url));
      return link;
    },
    frame: (file) => element("iframe", { class: "attachment_frame", title: file.name, src: file.url }),
    click: (file) => {
      const button = element("button", { ...common(file), type: "button" }, short(file.name));
      button.addEventListener("click", () => {
        location.assign(["", "attachment", file.id, "download"].join("/") + "?ticket=" + file.ticket);
      });
      return button;
    },
  };

  const row = (file) => {
    const item = element("li", { class: "attachment" });
    item.append(makers[file.form](file));
    item.append(element("span", { class: "attachment_meta" }, `${file.size_text}, added by ${file.author}`));
    return item;
  };

  const framesLoaded = (list) =>
    Promise.all(
      [...list.querySelectorAll("iframe")].map((frame) => new Promise((done) => frame.addEventListener("load", done))),
    );

  const render = async (files) => {
    if (files.length === 0) return say("No attachments");
    const list = element("ul", { class: "attachment_list" });
    list.append(...files.map(row));
    const ready = framesLoaded(list);
    box.replaceChildren(list);
    await ready;
  };

  const load = async () => {
    const answer = await fetch(box.dataset.source, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const { attachments } = await answer.json();
    await render(attachments);
    box.dataset.count = String(attachments.length);
    box.dataset.state = "loaded";
  };

  load().catch((problem) => {
    say("The attachments can't be shown");
    box.dataset.problem = problem.message;
    box.dataset.state = "failed";
  });
})();
