// Forms with data-working say that they are under way. Toasts that say that all went well leave by themselves; one that is pointed at or holds the focus waits.
const STAYS_MS = 8000;

function leave(toast) {
  if (toast.matches(":hover, :focus-within")) setTimeout(() => leave(toast), 1000);
  else toast.remove();
}

export function startToasts() {
  const notices = document.getElementById("notices");
  new MutationObserver((changes) => {
    for (const added of changes.flatMap((change) => [...change.addedNodes])) {
      if (added.matches?.("[data-fades]")) setTimeout(() => leave(added), STAYS_MS);
    }
  }).observe(notices, { childList: true });
}

export function startWorking() {
  document.addEventListener("submit", (event) => {
    const words = event.target.dataset?.working;
    if (!words || event.defaultPrevented) return;
    const toast = document.createElement("div");
    toast.className = "note toast working";
    const text = document.createElement("p");
    text.textContent = words;
    const bar = document.createElement("progress");
    bar.setAttribute("aria-label", "Under way");
    toast.append(text, bar);
    document.getElementById("notices").append(toast);
  });
  addEventListener("pageshow", () => { for (const toast of document.querySelectorAll(".toast.working")) toast.remove(); });
}
