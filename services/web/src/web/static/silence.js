/** A silent Opus track for Media Source: beside it Chromium lets a picture be late without stopping.
 *
 *  A video element without sound stops its clock as soon as no next frame is decoded, which costs a
 *  live picture one frame interval of delay (100 ms at 10 fps). With sound it waits up to 3 s first. */

export const SILENCE_TYPE = 'audio/mp4; codecs="opus"';
const RATE = 48000;
const PACKET = 960;
/** A CELT packet of 20 ms that decodes to silence (RFC 6716 §3.1: configuration 31, mono). */
const SILENT = [0xf8, 0xff, 0xfe];

const u16 = (value) => [value >> 8, value & 255];
const u32 = (value) => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
const u64 = (value) => [...u32(Math.floor(value / 2 ** 32)), ...u32(value % 2 ** 32)];
const letters = (text) => [...text].map((letter) => letter.charCodeAt(0));
const zeros = (count) => new Array(count).fill(0);

function box(name, ...parts) {
  const body = parts.flat();
  return [...u32(8 + body.length), ...letters(name), ...body];
}

const full = (name, flags, ...parts) => box(name, u32(flags), ...parts);
const MATRIX = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000].flatMap(u32);

/** The header (`ftyp`+`moov`, ISO/IEC 14496-12) of a mono Opus track. */
export function silenceInit() {
  const dops = box("dOps", 0, 1, u16(0), u32(RATE), u16(0), 0);
  const opus = box("Opus", zeros(6), u16(1), zeros(8), u16(1), u16(16), zeros(4), u32(RATE * 65536), dops);
  const tables = ["stts", "stsc", "stco"].flatMap((name) => full(name, 0, u32(0)));
  const stbl = box("stbl", full("stsd", 0, u32(1), opus), tables, full("stsz", 0, u32(0), u32(0)));
  const dinf = box("dinf", full("dref", 0, u32(1), full("url ", 1)));
  const mdia = box(
    "mdia",
    full("mdhd", 0, u32(0), u32(0), u32(RATE), u32(0), u16(0x55c4), u16(0)),
    full("hdlr", 0, u32(0), letters("soun"), zeros(13)),
    box("minf", full("smhd", 0, u32(0)), dinf, stbl),
  );
  const head = [u32(0), u32(0), u32(1), u32(0), u32(0), zeros(8), u16(0), u16(0), u16(0x100), u16(0)];
  const tkhd = full("tkhd", 7, ...head, MATRIX, u32(0), u32(0));
  const times = [u32(0), u32(0), u32(RATE), u32(0), u32(0x10000), u16(0x100), zeros(10)];
  const mvhd = full("mvhd", 0, ...times, MATRIX, zeros(24), u32(2));
  const mvex = box("mvex", full("trex", 0, u32(1), u32(1), u32(0), u32(0), u32(0)));
  const ftyp = box("ftyp", letters("cmfc"), u32(0), letters("cmfciso6mp41"));
  return new Uint8Array([...ftyp, ...box("moov", mvhd, box("trak", tkhd, mdia), mvex)]);
}

/** Silence from `start` for `seconds`, both multiples of 20 ms, as one fragment. */
export function silence(start, seconds) {
  const count = Math.round((seconds * RATE) / PACKET);
  const moof = (offset) =>
    box(
      "moof",
      full("mfhd", 0, u32(Math.round(start * 50) + 1)),
      box(
        "traf",
        full("tfhd", 0x020038, u32(1), u32(PACKET), u32(SILENT.length), u32(0x02000000)),
        full("tfdt", 0x01000000, u64(Math.round(start * RATE))),
        full("trun", 1, u32(count), u32(offset)),
      ),
    );
  const data = new Array(count).fill(SILENT).flat();
  return new Uint8Array([...moof(moof(0).length + 8), ...box("mdat", data)]);
}
