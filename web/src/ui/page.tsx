/** The head of a page, and placeholders for content that is missing or loading. */
import type { ComponentChildren } from "preact";
import { Icon, type IconName } from "./icons";

export function PageHead({
  title,
  children,
  actions,
}: {
  title: string;
  children?: ComponentChildren;
  actions?: ComponentChildren;
}) {
  return (
    <header class="page-head">
      <div>
        <h1>{title}</h1>
        {children && <p class="lede">{children}</p>}
      </div>
      {actions && <div class="actions">{actions}</div>}
    </header>
  );
}

export function Empty({
  icon,
  title,
  children,
  action,
}: {
  icon: IconName;
  title: string;
  children?: ComponentChildren;
  action?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name={icon} size={22} />
      </span>
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {action}
    </div>
  );
}

export function Skeleton({ lines = 3, height }: { lines?: number; height?: string }) {
  return (
    <div class="skeletons" role="status">
      <span class="visually-hidden">Loading</span>
      {Array.from({ length: height ? 1 : lines }, (_, index) => (
        <span
          class="skeleton"
          key={index}
          style={height ? { height } : { width: `${[92, 76, 84, 60][index % 4]}%` }}
        />
      ))}
    </div>
  );
}
