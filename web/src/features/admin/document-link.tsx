/** The path of a stored document, with a link where there is a screen for it. */
import { Breakable } from "../../ui/breakable";

const SCREENS: Readonly<Record<string, string>> = {
  colors: "/catalogue/colors",
  events: "/events",
  generationRequests: "/requests",
  imageReports: "/operations/reported-images",
  models: "/catalogue/models",
  products: "/catalogue/products",
  purchases: "/purchases",
  reports: "/reports",
  sizes: "/catalogue/sizes",
  styles: "/catalogue/styles",
  users: "/users",
  webhookEndpoints: "/events/endpoints",
};

export function DocumentLink({ path }: { path: string }) {
  const [collection = "", id] = path.split("/");
  const screen = SCREENS[collection];
  const shown = (
    <code>
      <Breakable text={path} after="/" />
    </code>
  );
  return screen && id ? <a href={`${screen}/${encodeURIComponent(id)}`}>{shown}</a> : shown;
}
