/** Light, dark, or the system's theme. The choice is kept in this browser. Print is always light. */
import { signal } from "@preact/signals";

export type Theme = "light" | "dark" | "system";

const stored = (): Theme => {
  const chosen = document.documentElement.dataset.theme;
  return chosen === "light" || chosen === "dark" ? chosen : "system";
};

export const theme = signal<Theme>(stored());
/** Changes whenever colors may have changed, so that canvases can be drawn again. */
export const painted = signal(0);

export function chooseTheme(next: Theme): void {
  theme.value = next;
  if (next === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  try {
    if (next === "system") localStorage.removeItem("theme");
    else localStorage.setItem("theme", next);
  } catch {
    // Storage is blocked: the choice holds until the page is left.
  }
  painted.value++;
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  painted.value++;
});

/** The current value of a color in the style sheet, for example "--accent". */
export function color(name: string): string {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}
