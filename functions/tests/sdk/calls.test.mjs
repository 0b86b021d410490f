/**
 * Every public function called by the `firebase` SDK for JavaScript, as an app calls it.
 *
 * test_sdk.py starts this with the emulators' addresses, the accounts, and a pending request in
 * the environment.
 */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";

const require = createRequire(new URL("../../../web/package.json", import.meta.url));
const { deleteApp, initializeApp } = require("firebase/app");
const { connectAuthEmulator, getAuth, signInWithEmailAndPassword } = require("firebase/auth");
const { connectFirestoreEmulator, doc, getFirestore, onSnapshot, terminate } = require("firebase/firestore");
const { connectFunctionsEmulator, getFunctions, httpsCallable } = require("firebase/functions");

const PROJECT = process.env.GCLOUD_PROJECT;
const FUNCTIONS_URL = process.env.FUNCTIONS_BASE_URL; // http://host:port/project/region
const PENDING = process.env.SDK_PENDING_REQUEST;
const LISTENER_MS = 60_000;
const PHOTO = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==";

const app = initializeApp({ projectId: PROJECT, apiKey: "any" });
const auth = getAuth(app);
const functions = getFunctions(app);
const db = getFirestore(app);
connectAuthEmulator(auth, `http://${process.env.FIREBASE_AUTH_EMULATOR_HOST}`, { disableWarnings: true });
connectFunctionsEmulator(functions, ...address(new URL(FUNCTIONS_URL).host));
connectFirestoreEmulator(db, ...address(process.env.FIRESTORE_EMULATOR_HOST));

function address(hostAndPort) {
  const [host, port] = hostAndPort.split(":");
  return [host, Number(port)];
}

async function call(name, data) {
  return (await httpsCallable(functions, name)(data)).data;
}

/** The error of a call that must fail. */
async function refusal(name, data) {
  try {
    await call(name, data);
  } catch (error) {
    assert.equal(error.name, "FirebaseError");
    return error;
  }
  return assert.fail(`${name} did not fail`);
}

async function signIn(which) {
  const { user } = await signInWithEmailAndPassword(auth, process.env[`SDK_${which}_EMAIL`], "imagegen");
  return user.uid;
}

function order(userId, changes = {}) {
  return { userId, model: "Sure Model", style: "anime", color: "neon", size: "512x512", prompt: "a lighthouse", ...changes };
}

after(async () => {
  await terminate(db);
  await deleteApp(app);
});

describe("a signed-in user", () => {
  let userId;
  before(async () => {
    userId = await signIn("RICH");
  });

  test("sees what is on offer, whatever is sent for no data", async () => {
    for (const nothing of [undefined, null, {}]) {
      const offers = await call("listModels", nothing);
      assert.ok(offers.models.some((model) => model.name === "Model A"));
    }
  });

  test("orders with options that are undefined", async () => {
    const options = { source: undefined, mode: undefined, idempotencyKey: undefined };
    const made = await call("createGenerationRequest", order(userId, options));
    assert.deepEqual(Object.keys(made).sort(), ["deductedCredits", "generationRequestId", "imageUrl"]);
    const { generationRequestId } = made;
    const seen = await call("getGenerationStatus", { generationRequestId });
    assert.deepEqual([seen.status, seen.mode, seen.deductedCredits], ["completed", "sync", 1]);
  });

  test("orders once with a key, however often", async () => {
    const keyed = order(userId, { idempotencyKey: `sdk-${Date.now()}` });
    const made = await call("createGenerationRequest", keyed);
    assert.deepEqual(await call("createGenerationRequest", keyed), made);
  });

  test("reads the credits with options that are undefined", async () => {
    const seen = await call("getUserCredits", { userId, pageSize: undefined, pageToken: undefined });
    assert.ok(seen.currentCredits > 0 && seen.transactions.length > 0);
    assert.ok(!Number.isNaN(Date.parse(seen.transactions[0].timestamp)));
  });

  test("lists the requests with filters that are undefined, page by page", async () => {
    const filters = { status: undefined, model: undefined, style: undefined, color: undefined, size: undefined };
    const first = await call("listGenerationRequests", { userId, pageSize: 1, pageToken: undefined, ...filters });
    assert.equal(first.generationRequests.length, 1);
    const second = await call("listGenerationRequests", { userId, pageSize: 1, pageToken: first.nextPageToken });
    assert.notDeepEqual(second.generationRequests, first.generationRequests);
  });

  test("uploads a photo, of which only the bytes count", async () => {
    const error = await refusal("uploadSource", { userId, data: "bm90IGEgcGhvdG8=" });
    assert.deepEqual([error.code, error.details.reason], ["functions/invalid-argument", "PHOTO_NOT_USABLE"]);
  });

  const storage = process.env.FIREBASE_STORAGE_EMULATOR_HOST;
  test("orders from an uploaded photo", { skip: !storage && "there is no Storage emulator" }, async () => {
    const { uploadId, mimeType } = await call("uploadSource", { userId, data: PHOTO });
    assert.equal(mimeType, "image/png");
    const made = await call("createGenerationRequest", order(userId, { source: { type: "photo", uploadId, url: undefined } }));
    const seen = await call("getGenerationStatus", { generationRequestId: made.generationRequestId });
    assert.deepEqual(seen.source, { type: "photo", uploadId });
  });

  test("sees what is sold and what it has bought, and cannot buy where nothing is sold", async () => {
    assert.ok(Array.isArray((await call("listProducts", undefined)).products));
    const bought = await call("listPurchases", { userId, pageSize: undefined, pageToken: undefined });
    assert.deepEqual(bought.purchases, []);
    const back = "http://localhost:5002/";
    for (const [name, data] of [
      ["createCheckoutSession", { userId, productId: "no-such-product", successUrl: back, cancelUrl: back }],
      ["createPortalSession", { userId, returnUrl: back }],
    ]) {
      const error = await refusal(name, data);
      assert.ok(error.details.reason, `${name}: ${error.message}`);
    }
  });

  test("registers a device and takes it back", async () => {
    const token = "dGVzdC1kZXZpY2U:APA91bExample";
    assert.deepEqual(await call("registerDevice", { userId, token }), { userId, registered: true });
    assert.deepEqual(await call("unregisterDevice", { userId, token }), { userId, registered: false });
  });

  test("deletes an image, and is told so when the order is repeated", async () => {
    const keyed = order(userId, { idempotencyKey: `sdk-deleted-${Date.now()}` });
    const { generationRequestId } = await call("createGenerationRequest", keyed);
    const deleted = await call("deleteImage", { generationRequestId });
    assert.deepEqual([deleted.imageUrl, deleted.prompt, deleted.deductedCredits], [null, "", 1]);
    assert.ok(!Number.isNaN(Date.parse(deleted.imageDeletedAt)));
    const error = await refusal("createGenerationRequest", keyed);
    assert.deepEqual([error.code, error.details.reason], ["functions/failed-precondition", "IMAGE_DELETED"]);
  });

  test("cancels a request that nobody works on yet", async () => {
    const canceled = await call("cancelGenerationRequest", { generationRequestId: PENDING });
    assert.deepEqual([canceled.status, canceled.refundedCredits], ["canceled", 1]);
  });

  test("hears from Firestore that a request in the background is completed", async () => {
    const made = await call("createGenerationRequest", order(userId, { mode: "async" }));
    assert.ok(["pending", "processing"].includes(made.status));
    const heard = await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("nothing was heard")), LISTENER_MS);
      const stop = onSnapshot(
        doc(db, "generationRequests", made.generationRequestId),
        (snapshot) => {
          if (snapshot.get("status") !== "completed") return;
          clearTimeout(timer);
          stop();
          resolve(snapshot.data());
        },
        reject,
      );
    });
    assert.equal(heard.imageUrl, "https://example.com/sure.png");
  });

  const int64 = { "@type": "type.googleapis.com/google.protobuf.Int64Value", value: "20" };
  for (const [what, number] of Object.entries({ text: '"20"', whole: "20", double: "20.0", iOS: JSON.stringify(int64), null: "null" })) {
    test(`may write a whole number as ${what}`, async () => {
      // Not by the SDK: in JavaScript 20 and 20.0 are the same.
      const response = await fetch(`${FUNCTIONS_URL}/getUserCredits`, {
        method: "POST",
        headers: { "Content-Type": "application/json", Authorization: `Bearer ${await auth.currentUser.getIdToken()}` },
        body: `{"data": {"userId": "${userId}", "pageSize": ${number}}}`,
      });
      assert.equal(response.status, 200, await response.text());
    });
  }
});

describe("an error", () => {
  let userId;
  before(async () => {
    userId = await signIn("POOR");
  });

  test("of a missing credit has its code, message and details", async () => {
    const error = await refusal("createGenerationRequest", order(userId));
    assert.equal(error.code, "functions/resource-exhausted");
    assert.equal(error.message, "Not enough credits.");
    assert.deepEqual(error.details, { reason: "INSUFFICIENT_CREDITS", required: 1, available: 0 });
  });

  test("of invalid fields names them", async () => {
    const error = await refusal("createGenerationRequest", order(userId, { prompt: "", size: undefined }));
    assert.equal(error.code, "functions/invalid-argument");
    assert.deepEqual(error.details.fieldViolations.map((each) => each.field).sort(), ["prompt", "size"]);
  });

  test("of an unknown option says what is allowed", async () => {
    const error = await refusal("createGenerationRequest", order(userId, { style: "cubism" }));
    assert.equal(error.code, "functions/invalid-argument");
    assert.equal(error.details.reason, "UNKNOWN_OPTION");
    assert.ok(error.details.allowed.includes("anime"));
  });

  test("of somebody else's data is permission-denied", async () => {
    for (const name of ["getUserCredits", "listGenerationRequests"]) {
      const error = await refusal(name, { userId: "testUser1" });
      assert.deepEqual([error.code, error.details.reason], ["functions/permission-denied", "NOT_OWNER"]);
    }
  });

  test("of a request that is not there is not-found", async () => {
    for (const name of ["getGenerationStatus", "cancelGenerationRequest", "deleteImage"]) {
      const error = await refusal(name, { generationRequestId: "nowhere" });
      assert.equal(error.code, "functions/not-found");
      assert.equal(error.details.reason, "GENERATION_REQUEST_NOT_FOUND");
    }
  });

  test("of data that is no object is invalid-argument", async () => {
    assert.equal((await refusal("listModels", 7)).code, "functions/invalid-argument");
  });
});

describe("a failed generation", () => {
  test("is unknown, and says what was refunded", async () => {
    const userId = await signIn("RICH");
    const error = await refusal("createGenerationRequest", order(userId, { model: "Doomed Model" }));
    assert.equal(error.code, "functions/unknown");
    assert.equal(error.message, "AI generation failed, credits refunded.");
    assert.deepEqual([error.details.reason, error.details.refundedCredits], ["GENERATION_FAILED", 1]);
    const canceled = await refusal("cancelGenerationRequest", { generationRequestId: error.details.generationRequestId });
    assert.deepEqual([canceled.code, canceled.details.reason], ["functions/failed-precondition", "NOT_CANCELABLE"]);
  });
});
