/** Files with everything that is stored about a user: they are asked for until they are written. */

const POLL_MILLISECONDS = 2000;

/** The answer that has the file's address. Throws `signal.reason` once the signal is aborted. */
export async function written<Export extends { url: string | null }>(
  ask: () => Promise<Export>,
  signal: AbortSignal,
): Promise<Export> {
  for (;;) {
    const answer = await ask();
    signal.throwIfAborted();
    if (answer.url) return answer;
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
    signal.throwIfAborted();
  }
}
