/** Which readings the metric cards show, and how each is read from its message. */

import { throttleWords } from "./throttle.js";
import { UNKNOWN, bytes, number, span } from "./words.js";

const ACCURACY = ["burn-in", "low accuracy", "medium accuracy", "settled"];

/** A plain number of the message. */
function plain(label, field, unit, digits, note) {
  return { label, field, read: (m) => ({ value: number(m[field], digits), unit, note: note?.(m) }) };
}

function airQuality(message) {
  const accuracy = ACCURACY[message.iaq_accuracy] ?? null;
  const note =
    message.iaq_accuracy === 0
      ? "burn-in: the sensor is still learning what clean air is"
      : [message.iaq_class, accuracy].filter(Boolean).join(", ");
  return { value: number(message.iaq), unit: "of 500", note };
}

function gas(message) {
  const kiloohm = message.gas_resistance == null ? null : message.gas_resistance / 1000;
  const note = kiloohm === null ? "the heater is not stable" : "more is cleaner";
  return { value: number(kiloohm, 1), unit: "kΩ", note };
}

function memory(message) {
  const [used, unit] = bytes(message.memory_used_bytes);
  const [total, totalUnit] = bytes(message.memory_total_bytes);
  const note = totalUnit && `${used} ${unit} of ${total} ${totalUnit}`;
  return { value: number(message.memory_percent), unit: "%", note };
}

function uptime({ uptime_seconds: seconds }) {
  return { value: typeof seconds === "number" ? span(seconds) : UNKNOWN, long: true };
}

function traffic(field) {
  return (message) => {
    const [value, unit] = bytes(message[field]);
    return { value, unit, note: "since boot" };
  };
}

function exposure(message) {
  const time = message.ExposureTime;
  if (time == null) return { value: UNKNOWN };
  const fraction = time < 500_000 && time > 0 ? `1/${Math.round(1e6 / time)} s` : undefined;
  return { value: number(time / 1000, time < 10_000 ? 2 : 1), unit: "ms", note: fraction };
}

function gain(message) {
  const { DigitalGain } = message;
  const note = DigitalGain == null ? undefined : `digital × ${number(DigitalGain, 2)}`;
  return { value: number(message.AnalogueGain, 2), unit: "×", note };
}

function frameTime(message) {
  const time = message.FrameDuration;
  if (!time) return { value: UNKNOWN };
  return { value: number(time / 1000, 1), unit: "ms", note: `${number(1e6 / time, 1)} a second` };
}

const text = (field) => (message) => ({ value: message[field] || UNKNOWN, long: true });

const AIR = [
  plain("Temperature", "temperature", "°C", 1, (m) => `sensor ${number(m.temperature_raw, 1)} °C`),
  plain("Humidity", "humidity", "%RH", 0),
  plain("Pressure", "pressure", "hPa", 1),
  { label: "Air quality index", field: "iaq", read: airQuality },
  plain("CO₂ equivalent", "co2_equivalent", "ppm", 0, () => "an estimate"),
  { label: "Gas resistance", field: "gas_resistance", read: gas },
];
const CPU = [
  plain("Processor temperature", "cpu_temp", "°C", 1),
  plain("Processor clock", "cpu_freq_mhz", "MHz", 0),
  { label: "Power and throttling", read: (m) => ({ ...throttleWords(m), long: true }) },
];
const MACHINE = [
  plain("Processor load", "cpu_percent", "%", 0, (m) => `${number(m.load_1m, 2)} over a minute`),
  { label: "Memory", field: "memory_percent", read: memory },
  plain("Disk", "disk_percent", "%", 0),
  { label: "Received", read: traffic("net_rx_bytes") },
  { label: "Sent", read: traffic("net_tx_bytes") },
  { label: "Up for", read: uptime },
  { label: "System", read: text("os") },
  { label: "Kernel", read: text("kernel") },
];
const SENSOR = [
  { label: "Exposure", read: exposure },
  { label: "Gain", read: gain },
  plain("Light", "Lux", "lx", 1),
  plain("Colour temperature", "ColourTemperature", "K", 0),
  { label: "Frame time", read: frameTime },
  plain("Sensor temperature", "SensorTemperature", "°C", 1),
];
const SOUND = [
  plain("Level", "level_db", "dB", 1, () => "sound pressure, an estimate"),
  plain("Level, full scale", "level_dbfs", "dBFS", 1),
  plain("Peak", "peak_dbfs", "dBFS", 1),
];

/** The cards of measurements. A topic with `*` stands for one group of each name that has spoken. */
export const CARDS = [
  {
    id: "environment",
    title: "Environment",
    missing: "No air sensor has spoken yet.",
    groups: [{ topic: "sensors/bme680/all", rows: AIR }],
  },
  {
    id: "system",
    title: "System health",
    missing: "The sensors service has not spoken yet.",
    groups: [
      { topic: "sensors/cpu/temperature", rows: CPU },
      { topic: "system/stats", rows: MACHINE },
    ],
  },
  {
    id: "sensor",
    title: "Camera sensor",
    missing: "No camera has sent metadata yet. Only cameras on the ribbon cable have it.",
    groups: [{ topic: "camera/*/metadata", rows: SENSOR }],
  },
  {
    id: "sound",
    title: "Sound",
    missing: "No microphone has been heard yet.",
    groups: [{ topic: "audio/level", rows: SOUND, meter: { field: "level_db", from: 20, to: 100 } }],
  },
];
