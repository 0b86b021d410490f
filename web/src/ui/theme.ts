/** Light, dark, or as the system is; the choice is kept. Printing is always light. */
import { signal } from "@preact/signals";

export type Theme = "light" | "dark" | "system";

const stored = (): Theme => {
  const chosen = document.documentElement.dataset.theme;
  return chosen === "light" || chosen === "dark" ? chosen : "system";
};

export const theme = signal<Theme>(stored());
/** Grows whenever colours may have changed, for what is drawn on a canvas. */
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

/** The colour that a custom property of the style sheet has now. */
export function colour(name: string): string {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}
