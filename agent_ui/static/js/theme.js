// Light or dark, before the first paint: what was chosen here, otherwise what the system prefers.
// A classic script, because a module would run after the page has been drawn once.

(() => {
  const KEY = "zhiting.theme";
  const system = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;

  function apply() {
    root.dataset.theme = localStorage.getItem(KEY) ?? (system.matches ? "dark" : "light");
  }

  system.addEventListener("change", apply);
  root.addEventListener("zhiting:theme", () => {
    const other = root.dataset.theme === "dark" ? "light" : "dark";
    localStorage.setItem(KEY, other);
    apply();
  });
  apply();
})();
