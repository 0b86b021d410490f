/**
 * Runs a command that needs a browser, where there is one: `node run.mjs COMMAND …`. A machine with
 * apt-get, on which we are root, gets Chromium first; elsewhere one line says how to get it.
 */
import { spawnSync } from "node:child_process";
import { browserPath } from "./harness.mjs";

if (
  !browserPath() &&
  process.platform === "linux" &&
  process.getuid() === 0 &&
  spawnSync("apt-get", ["--version"]).status === 0
) {
  console.log("Installing Chromium for the browser tests");
  const quiet = {
    stdio: "ignore",
    timeout: 300_000,
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  };
  spawnSync("apt-get", ["update"], quiet);
  spawnSync("apt-get", ["install", "--yes", "--no-install-recommends", "chromium"], quiet);
}
if (!browserPath()) {
  console.log(
    "Browser tests skipped: there is no Chromium here. Install it (apt-get install chromium) or name one in CHROMIUM.",
  );
  process.exit(0);
}
const [command, ...rest] = process.argv.slice(2);
process.exit(spawnSync(command, rest, { stdio: "inherit" }).status ?? 1);
