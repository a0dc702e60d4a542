// Toasts that say that all went well leave by themselves; one that is pointed at or holds the focus waits.
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
