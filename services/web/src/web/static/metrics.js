/** What can be drawn, and what people call it. A metric is `<topic>:<field>`. */

const NAMES = {
  temperature: ["Temperature", "°C"],
  temperature_raw: ["Temperature of the sensor", "°C"],
  humidity: ["Humidity", "%RH"],
  pressure: ["Pressure", "hPa"],
  gas_resistance: ["Gas resistance", "Ω"],
  iaq: ["Air quality index", "of 500"],
  iaq_accuracy: ["Accuracy of the index", "of 3"],
  co2_equivalent: ["CO₂ equivalent", "ppm"],
  cpu_temp: ["Processor temperature", "°C"],
  cpu_freq_mhz: ["Processor clock", "MHz"],
  cpu_percent: ["Processor load", "%"],
  memory_percent: ["Memory", "%"],
  memory_used_bytes: ["Memory used", "bytes"],
  memory_total_bytes: ["Memory in all", "bytes"],
  disk_percent: ["Disk", "%"],
  load_1m: ["Load", ""],
  uptime_seconds: ["Up for", "s"],
  net_rx_bytes: ["Received", "bytes"],
  net_tx_bytes: ["Sent", "bytes"],
  level_db: ["Sound level", "dB"],
  level_dbfs: ["Sound level, full scale", "dBFS"],
  peak_dbfs: ["Peak", "dBFS"],
  ExposureTime: ["Exposure", "µs"],
  AnalogueGain: ["Gain", "×"],
  DigitalGain: ["Digital gain", "×"],
  Lux: ["Light", "lx"],
  ColourTemperature: ["Colour temperature", "K"],
  FrameDuration: ["Frame time", "µs"],
  SensorTemperature: ["Sensor temperature", "°C"],
  fps: ["Frame rate", "fps"],
  bitrate_kbps: ["Bit rate", "kbit/s"],
};
const GROUPS = {
  "sensors/bme680/all": "Environment",
  "sensors/cpu/temperature": "Processor",
  "system/stats": "System",
  "audio/level": "Sound",
};
/** Fields that only say when, or of what kind something is. */
const UNDRAWN = new Set(["simulated", "started_at", "last_frame_at", "SensorTimestamp"]);
/** What is shown first: the first of these that there is. */
const FIRST = ["sensors/bme680/all:temperature", "sensors/cpu/temperature:cpu_temp", "audio/level:level_db"];

/** A metric's label, unit and group, in words. */
export function named(metric) {
  const [topic, field] = metric.split(":");
  const [label, unit] = NAMES[field] ?? [words(field), ""];
  return { metric, label, unit, group: GROUPS[topic] ?? words(topic.replace(/\/(status|metadata)$/, "")) };
}

/** Every metric of the sources that the station keeps, by groups: those of people's rooms first. */
export function offered(sources) {
  const groups = new Map();
  const known = (topic) => (topic in GROUPS ? Object.keys(GROUPS).indexOf(topic) : topic.startsWith("camera/") ? 8 : 9);
  const sorted = [...sources].sort((a, b) => known(a.topic) - known(b.topic) || (a.topic < b.topic ? -1 : 1));
  for (const { topic, fields } of sorted) {
    for (const field of fields.filter((field) => !UNDRAWN.has(field))) {
      const about = named(`${topic}:${field}`);
      groups.set(about.group, [...(groups.get(about.group) ?? []), about]);
    }
  }
  return groups;
}

/** What of the wanted metrics there is, or else one that is worth a look. */
export function chosen(groups, wanted) {
  const there = new Set([...groups.values()].flat().map(({ metric }) => metric));
  const found = wanted.filter((metric) => there.has(metric));
  if (found.length > 0) return found;
  const first = FIRST.find((metric) => there.has(metric)) ?? [...there][0];
  return first === undefined ? [] : [first];
}

function words(name) {
  const text = name.replace(/([a-z])([A-Z])/g, "$1 $2").replace(/[_/]/g, " ").toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}
