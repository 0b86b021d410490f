/** What a request started from, besides its prompt. */
import type { GenerationRequest } from "../../api/types";

export function Source({ source }: { source: NonNullable<GenerationRequest["source"]> }) {
  if (source.type === "address") return <>the address {source.address}</>;
  if (!source.url) return <>an uploaded photo</>;
  return (
    <>
      a photo:{" "}
      <a class="any-length" href={source.url} target="_blank" rel="noreferrer">
        {source.url}
      </a>
    </>
  );
}
