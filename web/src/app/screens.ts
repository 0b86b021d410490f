/** The screens in the navigation. */
import type { IconName } from "../ui/icons";

export interface Screen {
  path: string;
  name: string;
  icon: IconName;
  adminOnly?: boolean;
}

export const SCREENS: readonly Screen[] = [
  { path: "/create", name: "Create", icon: "create" },
  { path: "/gallery", name: "Gallery", icon: "gallery" },
  { path: "/credits", name: "Credits", icon: "credits" },
  { path: "/api", name: "API", icon: "api" },
  { path: "/reports", name: "Reports", icon: "reports", adminOnly: true },
  { path: "/users", name: "Users", icon: "user", adminOnly: true },
  { path: "/requests", name: "Requests", icon: "requests", adminOnly: true },
  { path: "/purchases", name: "Purchases", icon: "purchases", adminOnly: true },
  { path: "/catalogue", name: "Catalogue", icon: "catalogue", adminOnly: true },
  { path: "/events", name: "Events", icon: "events", adminOnly: true },
  { path: "/operations", name: "Operations", icon: "operations", adminOnly: true },
];
