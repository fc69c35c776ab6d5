import assert from "node:assert/strict";
import { test } from "node:test";
import { at } from "./static.js";

const { commandId, obstacle, outcome, part, position, state } = await import(at("motor"));

const REST = {
  enabled: true,
  moving: false,
  position: 100,
  target: null,
  minimum: 0,
  maximum: 250,
  travel: 200,
  outcome: "done",
  error: null,
};

test("a position that is not known is said to be so, and has no place between the limits", () => {
  assert.equal(position({ ...REST, position: null }), "unknown");
  assert.equal(part({ ...REST, position: null }), null);
  assert.equal(position({ ...REST, target: 120 }), "100 → 120 steps");
  assert.equal(part(REST), 0.4);
  assert.equal(part({ ...REST, position: -50 }), 0);
});

test("the state is what the motor says", () => {
  assert.deepEqual(state(REST), ["holding", "good"]);
  assert.deepEqual(state({ ...REST, moving: true }), ["moving", "warning"]);
  assert.deepEqual(state({ ...REST, enabled: false }), ["off", null]);
  assert.deepEqual(state({ ...REST, error: "no pins" }), ["not there", "bad"]);
  assert.match(outcome({ outcome: "dead_man" }), /page was not heard/);
});

test("what cannot be asked now has a reason", () => {
  assert.equal(obstacle("open", { ...REST, position: 0 }, "ana", "ana"), null);
  assert.match(obstacle("open", REST, "ana", "ana"), /300 is outside/);
  assert.match(obstacle("close", REST, "ana", "ana"), /-100 is outside/);
  assert.equal(obstacle("enable", { ...REST, enabled: false }, null, "ana"), null);
  assert.match(obstacle("step", { ...REST, enabled: false }, null, "ana"), /enable/);
  assert.match(obstacle("step", { ...REST, position: null }, null, "ana"), /home/);
  assert.match(obstacle("home", { ...REST, moving: true }, "ana", "ana"), /moves/);
  assert.match(obstacle("home", REST, "bert", "ana"), /bert steers/);
});

test("stop can always be asked, whoever steers", () => {
  assert.equal(obstacle("abort", { ...REST, moving: true, error: "x" }, "bert", "ana"), null);
});

test("every command has an id of its own", () => {
  assert.notEqual(commandId(), commandId());
  assert.match(commandId(), /^[0-9a-f]{32}$/);
});
