import { afterEach, describe, expect, it, vi } from "vitest";
import { deployment, discover, emulatorsIn } from "../../src/api/deployment";

const SCRIPT = `if (typeof firebase === 'undefined') throw new Error('…');
var firebaseConfig = {
  "projectId": "demo-imagegen",
  "apiKey": "fake-api-key"
};
if (firebaseConfig) {
  var firebaseEmulators = {
  "auth": {
    "host": "127.0.0.1",
    "port": 9199,
    "hostAndPort": "127.0.0.1:9199"
  },
  "functions": {
    "host": "127.0.0.1",
    "port": 5101,
    "hostAndPort": "127.0.0.1:5101"
  }
};
}`;

const answering = (bodies: Record<string, string>) =>
  vi.stubGlobal("fetch", (url: string) =>
    Promise.resolve(url in bodies ? new Response(bodies[url]) : new Response("", { status: 404 })),
  );

afterEach(() => {
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
});

describe("discover", () => {
  it("takes the emulators' ports from Hosting's own script on a developer's machine", async () => {
    answering({ "/__/firebase/init.js?useEmulator=true": SCRIPT });
    const found = await discover(new URL("http://127.0.0.1:5100/gallery"));
    expect(found.functionsUrl).toBe("http://127.0.0.1:5100/api");
    expect(found.emulators).toEqual({ auth: "127.0.0.1:9199", firestore: undefined });
    expect(found.options.apiKey).toBe("fake-api-key");
  });

  it("takes the deployed project elsewhere, and never an emulator", async () => {
    answering({ "/__/firebase/init.json": '{"projectId": "shop", "apiKey": "k"}' });
    const found = await discover(new URL("https://shop.web.app"));
    expect(found.emulators).toBeUndefined();
    expect(found.functionsUrl).toBe("https://shop.web.app/api");
    expect(found.documentsUrl).toBe(
      "https://firestore.googleapis.com/v1/projects/shop/databases/(default)/documents",
    );
  });

  it("calls the functions at the address that the build was given", () => {
    vi.stubEnv("VITE_FUNCTIONS_URL", "https://us-central1-shop.cloudfunctions.net");
    const found = deployment("https://shop.web.app", { projectId: "shop" }, undefined);
    expect(found.functionsUrl).toBe("https://us-central1-shop.cloudfunctions.net");
  });

  it("says what is missing", async () => {
    answering({});
    await expect(discover(new URL("http://localhost"))).rejects.toThrow("make run");
    expect(() => deployment("https://shop.web.app", {}, undefined)).toThrow("no project");
  });

  it("knows a script without emulators", () => {
    expect(emulatorsIn("var firebaseEmulators = undefined;")).toBeUndefined();
  });
});
