// Before the first paint: the theme the reader chose, where it is not the system's.
try {
  var theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch (error) {
  // Storage is blocked: the system's theme it is.
}
