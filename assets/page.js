// What the page does without the server: copy, download, keep a file that is too large
// from being sent, and the popover that shows a token's runners-up. Listens on the
// document, so that redrawn results keep working.
(() => {
  "use strict";

  const COPIED = "已复制 Copied";
  const NOT_COPIED = "没能复制，请选中文字来复制 Not copied: select the text";
  const SAID_MS = { [COPIED]: 1200, [NOT_COPIED]: 4000 };

  // Plain http has no clipboard, and a browser may refuse the one it has.
  const copyText = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return copySelected(text);
    }
  };

  const copySelected = (text) => {
    const area = document.createElement("textarea");
    area.value = text;
    area.style.position = "fixed";
    area.style.opacity = "0";
    document.body.append(area);
    area.select();
    try {
      return document.execCommand("copy");
    } catch {
      return false;
    } finally {
      area.remove();
    }
  };

  const saying = new WeakMap(); // buttons that say something, and until when

  const say = (button, sentence) => {
    button.dataset.mpLabel ??= button.textContent; // pressed again, it says a sentence
    button.textContent = sentence;
    clearTimeout(saying.get(button));
    saying.set(button, setTimeout(() => {
      button.textContent = button.dataset.mpLabel;
    }, SAID_MS[sentence]));
  };

  const save = (name, type, text) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  const recordOf = (button) =>
    JSON.parse(button.closest("[data-mp-record]").dataset.mpRecord);

  const actions = {
    copy: async (button) => {
      const copied = await copyText(button.closest("[data-mp-text]").dataset.mpText);
      say(button, copied ? COPIED : NOT_COPIED);
    },
    txt: (button) => {
      const record = recordOf(button);
      const texts = record.texts.map(({ text }) => record.prompt + text);
      save(`maskplay-${record.seed}.txt`, "text/plain", texts.join("\n\n") + "\n");
    },
    jsonl: (button) => {
      const record = recordOf(button);
      const line = JSON.stringify(record) + "\n";
      save(`maskplay-${record.seed}.jsonl`, "application/x-ndjson", line);
    },
  };

  const saves = { // by what their button carries; both kinds say the file's name
    mpSave: (button) => {
      const text = `${JSON.stringify(recordOf(button), null, 2)}\n`;
      save(button.dataset.mpSave, "application/json", text);
    },
    mpCsv: (button) => { // the mark tells a spreadsheet that it is UTF-8
      save(button.dataset.mpName, "text/csv", `\ufeff${button.dataset.mpCsv}`);
    },
  };

  // The popover: one element, filled from the token under the pointer or the focus.
  const popover = document.createElement("div");
  popover.className = "mp-popover";
  popover.setAttribute("role", "tooltip");
  popover.hidden = true;
  let described = null;

  const visible = (text) =>
    text === "" ? "∅" : text.replaceAll("\n", "⏎").replaceAll(" ", "␣");
  const percent = (p) => `${(100 * p).toFixed(p < 0.1 ? 1 : 0)}%`;

  const line = (text, probability, chosen) => {
    const row = document.createElement("div");
    row.className = chosen ? "mp-rival mp-chosen" : "mp-rival";
    const [name, bar, share] = ["b", "i", "span"].map((tag) =>
      document.createElement(tag));
    name.textContent = visible(text);
    bar.style.setProperty("--share", String(probability));
    share.textContent = percent(probability);
    row.append(name, bar, share);
    return row;
  };

  const place = (token) => {
    const at = token.getClientRects()[0] || token.getBoundingClientRect();
    const box = popover.getBoundingClientRect();
    const left = at.left + at.width / 2 - box.width / 2;
    const widest = document.documentElement.clientWidth - box.width - 8;
    const below = at.bottom + box.height + 12 < window.innerHeight;
    popover.style.left = `${Math.max(8, Math.min(left, widest))}px`;
    popover.style.top = `${below ? at.bottom + 8 : at.top - box.height - 8}px`;
  };

  const show = (token) => {
    const [text, probability, rivals] = JSON.parse(token.dataset.mpToken);
    const shown = text.trim() || text;
    const others = rivals.filter(([rival]) => rival !== text);
    popover.replaceChildren(
      line(shown, probability, true),
      ...others.map(([rival, share]) => line(rival, share, false)),
    );
    if (!popover.isConnected) document.body.append(popover);
    popover.hidden = false;
    described = token;
    place(token);
  };
  const hide = () => { popover.hidden = true; described = null; };

  const tokenAt = (event) =>
    event.target instanceof Element ? event.target.closest("[data-mp-token]") : null;

  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element
      ? event.target.closest(".mp-button") : null;
    const { mpAction } = button ? button.dataset : {};
    if (mpAction) actions[mpAction](button);
    for (const [kind, act] of Object.entries(saves)) {
      if (button && kind in button.dataset) act(button);
    }
    const token = tokenAt(event);
    if (token) token.focus({ preventScroll: true });
    else hide();
  });
  for (const kind of ["mouseover", "focusin"]) {
    document.addEventListener(kind, (event) => {
      const token = tokenAt(event);
      if (token) show(token);
    });
  }
  document.addEventListener("focusout", (event) => { if (tokenAt(event)) hide(); });
  document.addEventListener("mouseout", (event) => {
    if (!tokenAt(event)) return;
    const focused = document.activeElement; // the pointer has left, the focus has not
    if (focused && focused.matches("[data-mp-token]")) show(focused);
    else hide();
  });
  document.addEventListener("scroll", () => {
    if (described && described.isConnected) place(described);
    else hide();
  }, { capture: true, passive: true });

  // Arrow keys walk from token to token; only the first one is a stop of the Tab key.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
    const token = tokenAt(event);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!token || !step) return;
    const tokens = [...token.parentElement.querySelectorAll("[data-mp-token]")];
    const next = tokens[tokens.indexOf(token) + step];
    if (next) { event.preventDefault(); next.focus(); }
  });

  // A file that is too large is never sent: gradio would say so, but not what to do.
  const refuseLarge = (event) => {
    const files = event.dataTransfer ? event.dataTransfer.files : event.target.files;
    if (!files || !(event.target instanceof Element)) return;
    const sentence = [...document.querySelectorAll("[data-mp-upload]")].find(
      ({ dataset }) => event.target.closest(`#${dataset.mpUpload}`));
    if (!sentence) return;
    const large = [...files].some(({ size }) => size > sentence.dataset.mpLargest);
    sentence.hidden = !large;
    if (!large) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!event.dataTransfer) event.target.value = "";
  };
  document.addEventListener("change", refuseLarge, { capture: true });
  document.addEventListener("drop", refuseLarge, { capture: true });
})();
