import { useState } from "preact/hooks";
import { Icon } from "./icons";

/** An image that takes its space before it has loaded, and says so if it cannot be loaded. */
export function Picture(given: { url: string; alt: string; ratio: number; eager?: boolean }) {
  return <OnePicture key={given.url} {...given} />;
}

function OnePicture({
  url,
  alt,
  ratio,
  eager,
}: {
  url: string;
  alt: string;
  ratio: number;
  eager?: boolean;
}) {
  const [state, setState] = useState<"loading" | "shown" | "broken">("loading");
  return (
    <div class={`picture ${state}`} style={{ aspectRatio: String(ratio) }}>
      {state === "broken" ? (
        <p class="picture-note">
          <Icon name="warning" />
          The image could not be loaded.
        </p>
      ) : (
        <img
          src={url}
          alt={alt}
          loading={eager ? "eager" : "lazy"}
          decoding="async"
          onLoad={() => setState("shown")}
          onError={() => setState("broken")}
        />
      )}
    </div>
  );
}
