// Shortcuts: elements say their own key in data-key ("n", or "g r" for two in a row); "?" shows them all.
const WAIT_MS = 1200;

function typing(target) {
  return target.closest("input, textarea, select, [contenteditable]") !== null;
}

export function startKeys() {
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
      if (target.matches("input, textarea, select")) target.focus();
      else target.click();
    } else if (document.querySelector(`[data-key^="${CSS.escape(event.key)} "]`)) {
      first = event.key;
      timer = setTimeout(() => { first = ""; }, WAIT_MS);
    }
  });
}
