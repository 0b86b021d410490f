/** A request's image, large, between those of the list: /gallery/{id}?view=image. */
import { useEffect, useState } from "preact/hooks";
import { call } from "../../api/client";
import { useLoaded } from "../../ui/hooks";
import { go, withQuery } from "../../ui/router";
import { Viewer } from "../generation/viewer";
import { listed } from "./changes";

export function Large({ id }: { id: string }) {
  const [openedWith] = useState(id);
  // The address may name a request that is not in the list, or the list may not be there yet.
  const loaded = useLoaded(
    () => call("getGenerationStatus", { generationRequestId: openedWith }),
    [],
  );
  const images = listed.value.filter((each) => each.imageUrl);
  const at = images.findIndex((each) => each.generationRequestId === id);
  const alone = loaded.state === "ready" && loaded.value.imageUrl ? [loaded.value] : [];
  const show = (next: string) =>
    go(`/gallery/${encodeURIComponent(next)}${location.search}`, { replace: true, stay: true });
  const close = () => go(withQuery({ view: "" }), { replace: true });
  const missing = at < 0 && alone.length === 0;
  useEffect(() => {
    if (missing && loaded.state !== "loading") close(); // the detail view says why
  }, [missing, loaded.state]);
  if (missing) return null;
  return (
    <Viewer
      images={at < 0 ? alone : images}
      at={Math.max(0, at)}
      onMove={(next) => show(images[next]?.generationRequestId ?? id)}
      onClose={close}
    />
  );
}
