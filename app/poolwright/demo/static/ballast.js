/* The fat page: takes memory in pieces of 8 MB until the page holds what it was told to, and keeps it. */
(() => {
  "use strict";
  const root = document.documentElement;
  const wantedMb = Number(document.currentScript.dataset.sizeMb);
  const pieceMb = 8;
  const held = (window.ballast = []);
  const take = () => {
    held.push(new Uint8Array(pieceMb * 1024 * 1024).fill(1));
    const heldMb = held.length * pieceMb;
    root.dataset.ballastMb = String(heldMb);
    if (heldMb < wantedMb) setTimeout(take);
    else root.dataset.ballast = "full";
  };
  take();
})();
