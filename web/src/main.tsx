import { render } from "preact";
import { followBalance } from "./api/balance";
import { startSession } from "./api/session";
import { App } from "./app/app";

const root = document.getElementById("app");
if (!root) throw new Error("index.html lacks #app");
void startSession();
followBalance();
root.replaceChildren();
render(<App />, root);
