/** Runs a hook as a component does, without a document. */
import { type ContainerNode, h, render } from "preact";
import { onTestFinished } from "vitest";

/** `current` is what the hook last returned. It may be run with other arguments by `update`. */
export function runHook<T>(hook: () => T): { current: T; update: (hook: () => T) => void } {
  const parent = {} as ContainerNode; // a component without elements puts nothing into it
  const run = {} as { current: T; update: (hook: () => T) => void };
  const Probe = ({ use }: { use: () => T }) => {
    run.current = use();
    return null;
  };
  run.update = (use) => render(h(Probe, { use }), parent);
  run.update(hook);
  onTestFinished(() => render(null, parent));
  return run;
}
