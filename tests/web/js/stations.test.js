import assert from "node:assert/strict";
import { test } from "node:test";

import { at } from "./static.js";

const { complaints, facts } = await import(at("stations"));

const BARN = {
  name: "barn",
  path: "stations/barn/",
  state: "online",
  age_seconds: 2,
  degraded: [],
  cameras: { csi: "streaming" },
  temperature: 21.04,
  humidity: null,
  cpu_temp: 55.2,
};

test("a station says its readings and its cameras, and nothing of what is unknown", () => {
  assert.equal(facts(BARN), "21.0 °C · processor 55 °C · csi streaming");
  assert.deepEqual(complaints(BARN), []);
});

test("what is degraded stands below, a line each", () => {
  const degraded = ["service sensors is lost", "camera csi: no device"];
  assert.deepEqual(complaints({ ...BARN, state: "degraded", degraded }), degraded);
});

test("of a lost station nothing is said but since when", () => {
  const lost = { ...BARN, state: "lost", age_seconds: 120 };
  assert.match(complaints(lost).join(), /^nothing heard for 2 min/);
  assert.equal(facts(lost), "");
});
