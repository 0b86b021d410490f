import { Icon, type IconName } from "./icons";
import { chooseTheme, type Theme, theme } from "./theme";

const THEMES: Record<Theme, { next: Theme; icon: IconName; name: string }> = {
  system: { next: "light", icon: "system", name: "as the system" },
  light: { next: "dark", icon: "sun", name: "light" },
  dark: { next: "system", icon: "moon", name: "dark" },
};

export function ThemeSwitch() {
  const { next, icon, name } = THEMES[theme.value];
  return (
    <button
      type="button"
      class="button quiet icon-only"
      aria-label={`Theme: ${name}. Switch to ${THEMES[next].name}`}
      title={`Theme: ${name}`}
      onClick={() => chooseTheme(next)}
    >
      <Icon name={icon} />
    </button>
  );
}
