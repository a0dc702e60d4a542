// A button with data-meanwhile says at once what its request will bring about, and takes it back when the request fails.
export function startMeanwhile() {
  const waiting = new Map();
  document.addEventListener("htmx:before:request", (event) => {
    const button = event.target.matches?.("form") ? event.target.querySelector("[data-meanwhile]") : null;
    if (!button || waiting.has(button)) return;
    waiting.set(button, [...button.childNodes]);
    button.replaceChildren(button.dataset.meanwhile);
    button.setAttribute("aria-disabled", "true");
  });
  document.addEventListener("htmx:finally:request", () => {
    for (const [button, nodes] of waiting) {
      waiting.delete(button);
      if (!button.isConnected) continue;
      button.replaceChildren(...nodes);
      button.removeAttribute("aria-disabled");
    }
  });
}
