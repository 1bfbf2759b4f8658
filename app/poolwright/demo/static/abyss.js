/* The crash page: elements nested so deeply that the renderer's stack ends while it lays them out. It takes little
   memory and well under two seconds, where filling the heap would take gigabytes. */
(() => {
  "use strict";
  const depth = 20000;
  setTimeout(() => {
    let innermost = document.body;
    for (let level = 0; level < depth; level += 1) innermost = innermost.appendChild(document.createElement("div"));
    innermost.textContent = "bottom";
    void document.body.offsetHeight;
  });
})();
