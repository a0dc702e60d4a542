// The palette: Ctrl-K (or Cmd-K) opens it, arrows choose, Enter goes there.
function options() {
  return [...document.querySelectorAll("#palette-found [role=option]")];
}

function choose(step) {
  const all = options();
  if (!all.length) return;
  const now = all.findIndex((one) => one.getAttribute("aria-selected") === "true");
  const next = all[(Math.max(now, 0) + step + all.length) % all.length];
  for (const one of all) one.setAttribute("aria-selected", String(one === next));
  next.scrollIntoView({ block: "nearest" });
  document.getElementById("palette-search").setAttribute("aria-activedescendant", next.id);
}

export function startPalette() {
  const dialog = document.getElementById("palette");
  const input = document.getElementById("palette-search");
  const open = () => {
    if (document.querySelector("dialog[open]")) return;
    dialog.showModal();
    input.value = "";
    input.dispatchEvent(new Event("palette"));
  };
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
    }
  });
  document.getElementById("open-palette").addEventListener("click", (event) => {
    event.preventDefault();
    open();
  });
  dialog.addEventListener("keydown", (event) => {
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps) {
      event.preventDefault();
      choose(steps[event.key]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      document.querySelector("#palette-found [aria-selected=true] a")?.click();
    }
  });
}
