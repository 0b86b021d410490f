/** The sign-in page. */
import { useRef, useState } from "preact/hooks";
import { signIn, signInOnEmulators } from "../../api/sign-in";
import { Button } from "../../ui/button";
import { Field } from "../../ui/fields";
import { useTitle } from "../../ui/hooks";
import { Icon, Mark } from "../../ui/icons";
import { ThemeSwitch } from "../../ui/theme-switch";

/** The users that the emulators are seeded with, and an administrator. */
const PERSONAS = [
  { uid: "testUser1", note: "creates images, 100 credits at the start", claims: {} },
  { uid: "testUser2", note: "creates images, 10 credits at the start", claims: {} },
  { uid: "admin", note: "runs the app: reports, users, purchases", claims: { admin: true } },
];

const MESSAGES: Record<string, string> = {
  "auth/invalid-credential": "E-mail or password is wrong.",
  "auth/user-not-found": "E-mail or password is wrong.",
  "auth/wrong-password": "E-mail or password is wrong.",
  "auth/invalid-email": "This is not an e-mail address.",
  "auth/user-disabled": "This account is disabled.",
  "auth/too-many-requests": "Too many attempts. Wait a while, then try again.",
  "auth/network-request-failed": "Authentication could not be reached. Try again.",
  "auth/operation-not-allowed": "Signing in by e-mail is switched off in this project.",
};

export function SignIn({ onEmulators, notice }: { onEmulators: boolean; notice: string }) {
  useTitle("Sign in");
  const [busy, setBusy] = useState("");
  const [problem, setProblem] = useState("");

  const attempting = useRef(false);
  const attempt = async (who: string, enter: () => Promise<void>) => {
    if (attempting.current) return;
    attempting.current = true;
    setBusy(who);
    setProblem("");
    try {
      await enter();
    } catch (error) {
      const code = (error as { code?: string }).code ?? "";
      setProblem(MESSAGES[code] ?? `Signing in failed (${code || String(error)}).`);
      setBusy("");
      attempting.current = false;
    }
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    void attempt("form", () => signIn(String(form.get("email")), String(form.get("password"))));
  };

  return (
    <main class="signin">
      <div class="signin-card">
        <header>
          <Mark size={40} />
          <h1>Sign in to imagegen</h1>
          <p class="lede">Create images, watch your credits, read the weekly report.</p>
        </header>
        {notice && (
          <p class="banner" role="status">
            <Icon name="warning" /> {notice}
          </p>
        )}
        <form onSubmit={submit}>
          <Field label="E-mail">
            {(id) => <input id={id} name="email" type="email" autocomplete="username" required />}
          </Field>
          <Field label="Password">
            {(id) => (
              <input
                id={id}
                name="password"
                type="password"
                autocomplete="current-password"
                required
              />
            )}
          </Field>
          <p class="form-problem" role="alert">
            {problem}
          </p>
          <Button type="submit" kind="primary" busy={busy === "form"} disabled={busy !== ""}>
            Sign in
          </Button>
        </form>
        {onEmulators && (
          <section class="personas" aria-labelledby="personas">
            <h2 id="personas">On the emulators, continue as</h2>
            {PERSONAS.map(({ uid, note, claims }) => (
              <button
                type="button"
                key={uid}
                class="persona"
                disabled={busy !== ""}
                onClick={() => void attempt(uid, () => signInOnEmulators(uid, claims))}
              >
                <span class="persona-letter" aria-hidden="true">
                  {uid === "admin" ? "A" : uid.slice(-1)}
                </span>
                <span>
                  <strong>{uid}</strong>
                  <span class="note">{note}</span>
                </span>
                {busy === uid && <span class="spinner" aria-hidden="true" />}
              </button>
            ))}
          </section>
        )}
      </div>
      <div class="signin-theme">
        <ThemeSwitch />
      </div>
    </main>
  );
}
