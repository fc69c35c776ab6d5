/** Fragments in the station's fixed CMAF layout, and the headers (`ftyp`+`moov`) before them. */

export const VIDEO_TRACK = 1;
export const AUDIO_TRACK = 2;

// prft 0-32, moof 32-132 (mfhd 40, tfhd 64, tfdt 80, trun 100), mdat 132, the sample from 140.
const NTP = 16;
const SEQ = 52;
const TRACK = 76;
const TFDT = 92;
const DURATION = 120;
const FLAGS = 128;
const SAMPLE = 140;
const KEY = 0x02000000;
/** Seconds from 1900 to 1970 (RFC 5905); an NTP era has 2³² of them, and the next begins in 2036. */
const NTP_UNIX = 2208988800;
const ERA = 2 ** 32;

/** The four letters of the box at `offset`, where there is room for one. */
export function boxName(bytes, offset = 0) {
  return String.fromCharCode(...bytes.subarray(offset + 4, offset + 8));
}

/** One fragment from an ArrayBuffer; null when it is not laid out as the station does it.
 *  tfdt and duration in ticks of the track, capture in Unix seconds, data: the sample itself. */
export function readFragment(buffer) {
  const bytes = new Uint8Array(buffer);
  if (bytes.length < SAMPLE || boxName(bytes) !== "prft" || boxName(bytes, 132) !== "mdat") {
    return null;
  }
  const view = new DataView(buffer);
  return {
    track: view.getUint32(TRACK),
    seq: view.getUint32(SEQ),
    key: view.getUint32(FLAGS) === KEY,
    tfdt: Number(view.getBigUint64(TFDT)),
    duration: view.getUint32(DURATION),
    capture: unixSeconds(view.getUint32(NTP), view.getUint32(NTP + 4)),
    data: bytes.subarray(SAMPLE),
  };
}

/** Write another duration, in ticks, into a fragment. */
export function setDuration(buffer, duration) {
  new DataView(buffer).setUint32(DURATION, duration);
}

function unixSeconds(seconds, fraction) {
  const era = seconds < ERA / 2 ? ERA : 0;
  return seconds + era - NTP_UNIX + fraction / ERA;
}

/** The body of a box reached through `path`; null when there is none. */
function descend(bytes, path, start = 0) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = start; at + 8 <= bytes.length; ) {
    const size = view.getUint32(at);
    if (size < 8 || at + size > bytes.length) return null;
    if (boxName(bytes, at) === path[0].name) {
      const body = bytes.subarray(at + 8, at + size);
      return path.length === 1 ? body : descend(body, path.slice(1), path[0].skip ?? 0);
    }
    at += size;
  }
  return null;
}

const at = (...names) => names.map((name) => (typeof name === "string" ? { name } : name));
const MEDIA = ["moov", "trak", "mdia"];
const SAMPLES = [...MEDIA, "minf", "stbl", { name: "stsd", skip: 8 }];

/** A track's header: what a decoder is configured with; null for anything that is none.
 *  Fields: kind, codec (RFC 6381), timescale, and width, height, description (avcC) or channels. */
export function readInit(buffer) {
  const bytes = new Uint8Array(buffer);
  const mdhd = descend(bytes, at(...MEDIA, "mdhd"));
  if (mdhd === null || mdhd.length < 20) return null;
  const timescale = word(mdhd, mdhd[0] === 1 ? 20 : 12);
  const opus = descend(bytes, at(...SAMPLES, "Opus"));
  if (opus !== null) return { kind: "audio", codec: "opus", timescale, channels: half(opus, 16) };
  const avc1 = descend(bytes, at(...SAMPLES, "avc1"));
  const description = descend(bytes, at(...SAMPLES, { name: "avc1", skip: 78 }, "avcC"));
  if (avc1 === null || description === null) return null;
  const profile = [...description.subarray(1, 4)].map((b) => b.toString(16).padStart(2, "0"));
  return {
    kind: "video",
    codec: `avc1.${profile.join("").toUpperCase()}`,
    timescale,
    width: half(avc1, 24),
    height: half(avc1, 26),
    description,
  };
}

function word(bytes, offset) {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(offset);
}

function half(bytes, offset) {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint16(offset);
}
