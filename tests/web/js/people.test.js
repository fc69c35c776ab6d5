import assert from "node:assert/strict";
import { test } from "node:test";
import { at } from "./static.js";

const { Outbox, newId } = await import(at("outbox"));

class Storage {
  kept = new Map();
  getItem = (key) => this.kept.get(key) ?? null;
  setItem = (key, value) => this.kept.set(key, value);
}

/** An outbox over a connection that can be cut, and what went over it. */
function outbox(storage = new Storage()) {
  const it = { sent: [], up: true, storage };
  const send = (message) => it.up && Boolean(it.sent.push(message));
  it.box = new Outbox(send, () => {}, storage);
  it.states = () => it.box.items.map(({ state }) => state);
  return it;
}

test("messages go one at a time, in the order of saying", () => {
  const { box, sent, states } = outbox();
  box.add("one", 0);
  box.add("two", 1);
  assert.deepEqual([sent.length, states()], [1, ["sent", "waiting"]]);
  box.answer({ id: sent[0].id, accepted: true }, 10);
  assert.deepEqual(sent.map(({ message }) => message), ["one", "two"]);
});

test("without an answer the same is sent again under the same id", () => {
  const { box, sent } = outbox();
  box.add("one", 0);
  box.tick(4999);
  assert.equal(sent.length, 1);
  box.tick(5000);
  assert.deepEqual([sent.length, new Set(sent.map(({ id }) => id)).size], [2, 1]);
});

test("a new connection sends at once what the old one may have lost", () => {
  const it = outbox();
  it.up = false;
  it.box.add("one", 0);
  assert.deepEqual([it.sent.length, it.states()], [0, ["waiting"]]);
  it.up = true;
  it.box.reconnected(10);
  it.box.reconnected(20);
  assert.equal(it.sent.length, 2);
});

test("who is too fast waits as long as told, and nothing overtakes", () => {
  const { box, sent, states } = outbox();
  box.add("one", 0);
  box.add("two", 0);
  box.answer({ id: sent[0].id, accepted: false, refusal: "too_fast", reason: "wait", wait_seconds: 2 }, 100);
  box.tick(2099);
  assert.deepEqual([sent.length, states()], [1, ["waiting", "waiting"]]);
  box.tick(2100);
  assert.deepEqual(sent.map(({ message }) => message), ["one", "one"]);
});

test("what can never be accepted is for its author, and the next one goes", () => {
  const { box, sent, states } = outbox();
  box.add("one", 0);
  box.add("two", 0);
  box.answer({ id: sent[0].id, accepted: false, refusal: "empty", reason: "nothing" }, 100);
  assert.deepEqual(states(), ["failed", "sent"]);
  assert.equal(box.withdraw(sent[0].id), "one");
  box.seen([sent[1].id], 200);
  assert.deepEqual(box.items, []);
});

test("a reload keeps what was not seen, and rubbish in the storage costs nothing", () => {
  const it = outbox();
  it.box.add("one", 0);
  const again = outbox(it.storage);
  again.box.reconnected(0);
  assert.deepEqual(again.sent, it.sent);
  for (const rubbish of ["{", "null", "[1, {}]", '"x"']) {
    it.storage.setItem("beeper.chat.outbox", rubbish);
    assert.deepEqual(outbox(it.storage).box.items, []);
  }
  assert.deepEqual(new Outbox(() => true, () => {}, null).items, []);
});

test("ids are UUIDs in effect", () => {
  assert.match(newId(), /^[0-9a-f]{32}$/);
  assert.notEqual(newId(), newId());
});
