/** The current order as code. */
import { useEffect, useState } from "preact/hooks";
import { backend } from "../../api/firebase";
import type { Order } from "../../api/types";
import { CopyButton } from "../../ui/button";
import { Tabs } from "../../ui/tabs";
import { snippets, tokens } from "./snippets";

export function Code({ order, idempotencyKey }: { order: Order; idempotencyKey: string }) {
  const [functionsUrl, setFunctionsUrl] = useState("");
  useEffect(() => {
    void backend().then(({ deployment }) => setFunctionsUrl(deployment.functionsUrl));
  }, []);
  const list = snippets(functionsUrl, order, idempotencyKey);
  return (
    <section class="card code" aria-label="This request as code">
      <Tabs
        label="Language"
        tabs={list.map(({ name, code }) => ({
          name,
          aside: () => <CopyButton key={name} text={code} />,
          body: () => (
            <pre tabIndex={0} role="group" aria-label={`${name} code`}>
              <code>
                {tokens(code).map((token, index) => (
                  <span key={index} class={`token-${token.kind}`}>
                    {token.text}
                  </span>
                ))}
              </code>
            </pre>
          ),
        }))}
      />
    </section>
  );
}
