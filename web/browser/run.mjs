/**
 * Runs a command that needs a browser: `node run.mjs COMMAND …`. If there is none, it installs
 * Chromium where it can (as root, with apt-get); elsewhere it says how to install one and succeeds.
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
