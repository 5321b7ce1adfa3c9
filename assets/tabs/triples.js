// What belongs to a triple lights up together: its row, its spans and its arrow.
// Listens on the document, so that redrawn results keep working.
(() => {
  "use strict";

  const numbersAt = (event) => {
    const part = event.target instanceof Element
      ? event.target.closest("[data-mp-triple], [data-mp-marks]") : null;
    const holder = part && part.closest(".mp-triples");
    if (!holder) return null;
    const text = part.dataset.mpTriple || part.dataset.mpMarks;
    return { holder, numbers: text.split(" ") };
  };

  const clear = () => {
    for (const part of document.querySelectorAll(".mp-triples .mp-lit")) {
      part.classList.remove("mp-lit");
    }
  };

  const light = (event) => {
    const found = numbersAt(event);
    clear();
    if (!found) return;
    for (const number of found.numbers) {
      const parts = `[data-mp-triple~="${number}"], [data-mp-marks~="${number}"]`;
      for (const part of found.holder.querySelectorAll(parts)) {
        part.classList.add("mp-lit");
      }
    }
  };

  document.addEventListener("mouseover", light);
  document.addEventListener("focusin", light);
  document.addEventListener("click", light); // a finger does not hover
})();
