import assert from "node:assert/strict";
import { test } from "node:test";
import { at } from "./static.js";

globalThis.document = { baseURI: "http://station/" };
const { introduce, signOut, wayOut } = await import(at("me"));

const password = { name: "olga", operator: true, way: "password", sign_in: null, sign_out: "api/sign-out" };
const home = { name: "local-10.0.0.7", operator: false, way: "network", sign_in: "login", sign_out: null };

test("whoever has signed in may sign out, and a device at home may sign in", () => {
  assert.deepEqual(introduce(password), ["olga (operator)", null, null]);
  assert.deepEqual(wayOut(password), { address: "api/sign-out", post: true });
  assert.deepEqual(introduce(home), ["local-10.0.0.7", "Sign in", "login"]);
  assert.equal(wayOut(home), null);
});

test("Cloudflare Access has a page of its own for it", () => {
  const me = { ...home, way: "access", sign_out: "/cdn-cgi/access/logout" };
  assert.deepEqual(wayOut(me), { address: "/cdn-cgi/access/logout", post: false });
});

test("a station of an earlier version offers no way out", () => {
  assert.equal(wayOut({ ...password, sign_out: undefined }), null);
});

test("signing out is a POST, and what goes wrong is said", async () => {
  const asked = [];
  await signOut("http://station/api/sign-out", async (...about) => {
    asked.push(about);
    return { ok: true };
  });
  assert.deepEqual(asked, [["http://station/api/sign-out", { method: "POST", cache: "no-store" }]]);
  await assert.rejects(signOut("x", async () => ({ ok: false, status: 503 })), /answers 503/);
  await assert.rejects(signOut("x", async () => Promise.reject(new TypeError())), /no answer/);
});
