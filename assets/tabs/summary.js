// A copied stretch and the clause it came from light up together; a click goes from the
// one to the other. Listens on the document, so that redrawn results keep working.
(() => {
  "use strict";

  const clauseAt = (event) =>
    event.target instanceof Element ? event.target.closest("[data-mp-clause]") : null;

  const alike = (element) => {
    const result = element.closest(".mp-result");
    const index = element.dataset.mpClause;
    return result ? [...result.querySelectorAll(`[data-mp-clause="${index}"]`)] : [];
  };

  const dim = () => {
    for (const lit of document.querySelectorAll(".mp-lit")) lit.classList.remove("mp-lit");
  };
  const light = (event) => {
    const element = clauseAt(event);
    if (!element) return;
    dim();
    for (const one of alike(element)) one.classList.add("mp-lit");
  };

  const go = (element) => {
    const [copied, clause] = [".mp-copied", ".mp-source-text .mp-clause"].map((kind) =>
      alike(element).find((one) => one.matches(kind)));
    const target = element.matches(".mp-copied") ? clause : copied;
    if (!target) return;
    const folded = target.closest("details:not([open])");
    if (folded) folded.open = true;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    target.scrollIntoView({ block: "center", behavior: still ? "auto" : "smooth" });
  };

  document.addEventListener("mouseover", light);
  document.addEventListener("focusin", light);
  document.addEventListener("mouseout", (event) => { if (clauseAt(event)) dim(); });
  document.addEventListener("focusout", (event) => { if (clauseAt(event)) dim(); });
  document.addEventListener("click", (event) => {
    const element = clauseAt(event);
    const selecting = String(window.getSelection()).length > 0; // leave that alone
    if (element && !selecting) go(element);
  });
  document.addEventListener("keydown", (event) => {
    const element = clauseAt(event);
    if (event.key === "Enter" && element) go(element);
  });
})();
