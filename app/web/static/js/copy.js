// Buttons with class copy put the text of the pre beside them on the clipboard and say so.
export function startCopy() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest(".copy");
    if (!button) return;
    const text = button.parentElement.querySelector("pre")?.textContent ?? "";
    const label = button.textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Press Ctrl-C";
      getSelection().selectAllChildren(button.parentElement.querySelector("pre"));
    }
    setTimeout(() => { button.textContent = label; }, 1500);
  });
}
