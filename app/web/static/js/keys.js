// Shortcuts: elements say their own key in data-key ("n", or "g r" for two in a row); "?" shows them all.
const WAIT_MS = 1200;

function typing(target) {
  return target.closest("input:not([type=checkbox], [type=radio], [type=file]), textarea, select, [contenteditable]") !== null;
}

// Ctrl-Enter sends the form that is being filled in, wherever in it the focus is.
function send(event) {
  const main = event.target.closest("form")?.querySelector(".button.main");
  if (!main || event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  main.click();
}

export function startKeys() {
  document.addEventListener("keydown", send);
  let first = "";
  let timer = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    const combination = first ? `${first} ${event.key}` : event.key;
    first = "";
    clearTimeout(timer);
    const target = [...document.querySelectorAll("[data-key]")].find((e) => e.dataset.key === combination && e.getClientRects().length + Number(e.matches("a")));
    if (target) {
      event.preventDefault();
      if (target.matches("input:not([type=checkbox]), textarea, select")) target.focus();
      else target.click();
    } else if (document.querySelector(`[data-key^="${CSS.escape(event.key)} "]`)) {
      first = event.key;
      timer = setTimeout(() => { first = ""; }, WAIT_MS);
    }
  });
}
