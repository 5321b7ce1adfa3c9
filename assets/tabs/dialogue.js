// A conversation is saved without the server: its button carries the file's text, name
// and type. Listens on the document, so that redrawn buttons keep working.
(() => {
  "use strict";

  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element
      ? event.target.closest("[data-mp-talk]") : null;
    if (!button) return;
    const { mpTalk: text, mpName: name, mpType: type } = button.dataset;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
})();
