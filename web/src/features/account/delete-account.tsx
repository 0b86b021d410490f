/** Deletes the account: what is lost in numbers, who asks, and what is left to do in app stores. */
import { isImagegenError } from "imagegen-client";
import { useState } from "preact/hooks";
import { call } from "../../api/client";
import { leave, signedIn } from "../../api/session";
import { signInAgain } from "../../api/sign-in-again";
import { isOpen, type Reply } from "../../api/types";
import { Button } from "../../ui/button";
import { Confirm } from "../../ui/confirm";
import { Dialog } from "../../ui/dialog";
import { Field } from "../../ui/fields";
import { credits, date, number } from "../../ui/format";
import { Skeleton } from "../../ui/page";
import { useResource } from "../../ui/resource";

const WORD = "delete";
/** More requests than these are not counted one by one. */
const COUNTED = 100;

export function DeleteAccount({ onClose }: { onClose: () => void }) {
  const [typed, setTyped] = useState("");
  const [password, setPassword] = useState<string | null>(null);
  const [done, setDone] = useState<Reply<"deleteAccount"> | null>(null);
  const lost = useResource(losses, []);
  if (done) return <Closed answer={done} />;
  return (
    <Confirm
      title="Delete your account"
      label="Delete my account"
      danger
      repeatable
      asksReason={false}
      disabled={typed.trim().toLowerCase() !== WORD || password === ""}
      onClose={onClose}
      onDone={() => {}}
      onConfirm={async () => {
        if (password) await signInAgain(password);
        try {
          setDone(await call("deleteAccount", {}));
        } catch (error) {
          if (!isImagegenError(error) || error.reason !== "RECENT_SIGN_IN_REQUIRED") throw error;
          setPassword("");
        }
      }}
    >
      {lost.value ? <p>{lost.value}</p> : lost.error === null && <Skeleton lines={2} />}
      <p>This cannot be undone.</p>
      {/* By its key it stays the same field when the sentence above it has loaded. */}
      <Field key="word" label={`Write “${WORD}” to confirm`}>
        {(id) => (
          <input
            id={id}
            type="text"
            autocomplete="off"
            data-autofocus
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        )}
      </Field>
      {password !== null && (
        <Field label="Your password" hint="you signed in some time ago">
          {(id) => (
            <input
              id={id}
              type="password"
              autocomplete="current-password"
              required
              value={password}
              onInput={(event) => setPassword(event.currentTarget.value)}
            />
          )}
        </Field>
      )}
    </Confirm>
  );
}

/** What is lost, in a sentence. Throws what the calls throw. */
async function losses(): Promise<string> {
  const userId = signedIn().uid;
  const [{ generationRequests, nextPageToken }, balance] = await Promise.all([
    call("listGenerationRequests", { userId, pageSize: COUNTED }),
    call("getUserCredits", { userId }).catch((error: unknown) => {
      if (isImagegenError(error) && error.reason === "USER_NOT_FOUND") return { currentCredits: 0 };
      throw error;
    }),
  ]);
  const count = (wanted: number, one: string, many: string): string =>
    `${number(wanted)}${nextPageToken ? " or more" : ""} ${wanted === 1 ? one : many}`;
  const images = generationRequests.filter(({ imageUrl }) => imageUrl).length;
  const open = generationRequests.filter(({ status }) => isOpen(status)).length;
  const canceled =
    open > 0 ? `, and ${number(open)} running ${open === 1 ? "request ends" : "requests end"}` : "";
  return `${credits(balance.currentCredits)} are lost, ${count(images, "image is", "images are")} deleted with all prompts${canceled}.`;
}

/** The account is gone: what is left to do is outside. */
function Closed({ answer: { storeSubscriptions } }: { answer: Reply<"deleteAccount"> }) {
  return (
    <Dialog title="Your account is being deleted" narrow onClose={() => void leave()}>
      <div class="confirm">
        <p>This takes some minutes and goes on by itself. You are signed out now.</p>
        {storeSubscriptions.length > 0 && (
          <>
            <p class="banner">
              These subscriptions go on until you end them in the store that bills them.
            </p>
            <ul class="subscriptions">
              {storeSubscriptions.map(({ store, productId, periodEnd }) => (
                <li key={`${store} ${productId}`}>
                  <strong>{storeName(store)}</strong>
                  {productId && `: ${productId}`}, paid until {date(periodEnd)}
                </li>
              ))}
            </ul>
          </>
        )}
        <div class="actions end">
          <Button kind="primary" onClick={() => void leave()}>
            Sign out
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

const STORES: Record<string, string> = {
  APP_STORE: "App Store",
  MAC_APP_STORE: "Mac App Store",
  PLAY_STORE: "Google Play",
  AMAZON: "Amazon Appstore",
};
const storeName = (store: string): string => STORES[store] ?? store;
