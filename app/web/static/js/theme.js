// The theme switch: system, light, dark in turn; kept in a cookie so that the server draws the right one at once.
const ORDER = ["", "light", "dark"];
const NAMES = { "": "as the system", light: "light", dark: "dark" };

export function startTheme() {
  const button = document.getElementById("theme");
  if (!button) return;
  const show = (theme) => {
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
    button.title = `Theme: ${NAMES[theme]} (t)`;
    button.setAttribute("aria-label", button.title);
    document.dispatchEvent(new CustomEvent("theme"));
  };
  const current = () => document.documentElement.dataset.theme ?? "";
  button.addEventListener("click", () => {
    const next = ORDER[(ORDER.indexOf(current()) + 1) % ORDER.length];
    document.cookie = `theme=${next}; path=/; max-age=${next ? 31536000 : 0}; samesite=lax`;
    show(next);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => show(current()));
  show(current());
}
