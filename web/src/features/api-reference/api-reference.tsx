/** The API reference, in a separate document (public/reference). */
import { useEffect, useRef, useState } from "preact/hooks";
import { backend } from "../../api/firebase";
import { idToken } from "../../api/session";
import { Failure } from "../../ui/failure";
import { useLoaded, useTitle } from "../../ui/hooks";
import { Empty, PageHead, Skeleton } from "../../ui/page";
import { painted, theme } from "../../ui/theme";

export function ApiReference() {
  useTitle("API");
  const loaded = useLoaded(async (signal) => {
    const [document, connected] = await Promise.all([
      fetch("/reference/openapi.json", { signal }).then((response) =>
        response.ok ? response.json() : null,
      ),
      backend(),
    ]);
    if (!document) return null;
    return { document, token: (await idToken()) ?? "", server: connected.deployment.functionsUrl };
  }, []);
  return (
    <div class="api">
      <PageHead
        title="API"
        actions={
          <a class="button plain" href="/reference/openapi.json" download="openapi.json">
            OpenAPI document
          </a>
        }
      >
        Every function with its fields, answers and errors. “Test Request” calls this project with
        your account.
      </PageHead>
      {loaded.state === "loading" && <Skeleton height="40rem" />}
      {loaded.state === "failed" && <Failure error={loaded.error} onRetry={loaded.retry} />}
      {loaded.state === "ready" && !loaded.value && (
        <Empty icon="api" title="This build has no reference">
          openapi.json was missing when the console was built.
        </Empty>
      )}
      {loaded.state === "ready" && loaded.value && <Reference given={loaded.value} />}
    </div>
  );
}

function Reference({ given }: { given: object }) {
  const frame = useRef<HTMLIFrameElement>(null);
  const [ready, setReady] = useState(false);
  const repaint = painted.value;
  const dark =
    theme.value === "dark" ||
    (theme.value === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  useEffect(() => {
    const onMessage = (event: MessageEvent) => {
      if (event.source === frame.current?.contentWindow && event.data === "reference ready")
        setReady(true);
    };
    addEventListener("message", onMessage);
    return () => removeEventListener("message", onMessage);
  }, []);
  useEffect(() => {
    if (ready) frame.current?.contentWindow?.postMessage({ ...given, dark }, location.origin);
  }, [ready, dark, repaint]);
  return <iframe ref={frame} class="reference" title="API reference" src="/reference/" />;
}
