// Answers are brought into sight: a long passage scrolls within its own box. Watches the
// document, so that redrawn results keep working.
(() => {
  "use strict";

  const bringIntoSight = () => {
    for (const box of document.querySelectorAll(".mp-passage-text:not([data-mp-seen])")) {
      const mark = box.querySelector(".mp-found") || box.querySelector("mark");
      if (!mark || !box.clientHeight) continue; // nothing there, or its tab is not open
      box.dataset.mpSeen = "";
      box.scrollTop = mark.offsetTop - box.clientHeight / 3;
    }
  };
  let due = false;
  new MutationObserver(() => {
    if (due) return;
    due = true;
    requestAnimationFrame(() => { due = false; bringIntoSight(); });
  }).observe(document, { childList: true, subtree: true });
})();
