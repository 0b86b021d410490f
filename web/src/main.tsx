import { render } from "preact";
import { App } from "./app";
import { startSession } from "./session";

const root = document.getElementById("app");
if (!root) throw new Error("index.html lacks #app");
void startSession();
root.replaceChildren();
render(<App />, root);
