/** What the motor's state means, and what its operator may ask of it at this moment. */

const OUTCOMES = {
  done: "arrived",
  stopped: "was stopped",
  dead_man: "stopped: its operator's page was not heard for too long",
  switch: "stopped at the limit switch",
  no_switch: "did not find the limit switch",
  fault: "failed",
};

/** The state in one word, with its level. */
export function state(status) {
  if (status.error) return ["not there", "bad"];
  if (status.moving) return ["moving", "warning"];
  return status.enabled ? ["holding", "good"] : ["off", null];
}

export function position(status) {
  if (status.position === null) return "unknown";
  const target = status.target === null ? "" : ` → ${status.target}`;
  return `${status.position}${target} steps`;
}

export function outcome(status) {
  return OUTCOMES[status.outcome] ?? "has not moved since it was started";
}

/** Where the position stands between the limits, 0 to 1; null when it is not known. */
export function part({ position, minimum, maximum }) {
  if (position === null) return null;
  return Math.max(0, Math.min(1, (position - minimum) / (maximum - minimum)));
}

/** Why an action cannot be had now; null when it can. Stop always can. */
export function obstacle(action, status, holder, me) {
  if (action === "abort") return null;
  if (status.error) return status.error;
  if (holder !== null && holder !== me) return `${holder} steers`;
  if (status.moving) return "it moves";
  if (action === "enable") return status.enabled ? "it is on" : null;
  if (!status.enabled) return "enable it first";
  if (action === "disable" || action === "home") return null;
  if (status.position === null) return "home it first";
  const step = { open: status.travel, close: -status.travel }[action];
  if (step === undefined) return null;
  const target = status.position + step;
  const inside = target >= status.minimum && target <= status.maximum;
  return inside ? null : `${target} is outside its limits`;
}

/** A new id for a command; randomUUID is there in secure contexts only. */
export function commandId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
