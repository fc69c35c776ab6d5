/** WHEP (draft-ietf-wish-whep): offer, answer, late candidates, and the end of a session. */

const NTP_UNIX = 2_208_988_800;
const WRAP = 2 ** 32;
/** Milliseconds in which candidates gather before they are sent together. */
const TOGETHER = 50;

/** The answer's words for when RTP timestamps of the video are (RFC 7273), as a function of one
 *  and of the station's time (Unix s) → Unix s; null when the answer says nothing. */
export function mediaClock(answer, rate) {
  const [, video = ""] = answer.split(/^m=video /m);
  const direct = /^a=mediaclk:direct=(\d+)/m.exec(video.split(/^m=/m)[0]);
  if (!direct) return () => null;
  return (rtp, now) => {
    const ticks = ((now + NTP_UNIX) * rate + Number(direct[1])) % WRAP;
    let age = ticks - rtp;
    if (age < -WRAP / 2) age += WRAP;
    else if (age > WRAP / 2) age -= WRAP;
    return now - age / rate;
  };
}

export class Whep {
  #url;
  #peer;
  #session = null;
  #etag = null;
  #candidates = [];
  #timer = null;
  #ended = false;

  constructor(url, peer) {
    this.#url = url;
    this.#peer = peer;
    peer.addEventListener("icecandidate", ({ candidate }) => this.#found(candidate));
  }

  /** Make the session; the answer. An Error says in words why there is none. */
  async offer() {
    await this.#peer.setLocalDescription();
    const headers = { "Content-Type": "application/sdp" };
    const body = this.#peer.localDescription.sdp;
    const answer = await send(this.#url, { method: "POST", headers, body });
    this.#session = new URL(answer.headers.get("Location"), this.#url).href;
    this.#etag = answer.headers.get("ETag");
    const sdp = await answer.text();
    if (!this.#ended) await this.#peer.setRemoteDescription({ type: "answer", sdp });
    this.#tell();
    return sdp;
  }

  /** Leave; also when the page goes away. */
  end() {
    this.#ended = true;
    clearTimeout(this.#timer);
    if (this.#session === null) return;
    const session = this.#session;
    this.#session = null;
    fetch(session, { method: "DELETE", keepalive: true }).catch(() => {});
  }

  /** A candidate with a name of mDNS tells the station nothing: it hides the address. */
  #found(candidate) {
    if (!candidate?.candidate || candidate.candidate.includes(".local ")) return;
    this.#candidates.push(candidate.candidate);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tell(), TOGETHER);
  }

  #tell() {
    if (this.#session === null || this.#candidates.length === 0) return;
    const lines = this.#candidates.splice(0).map((candidate) => `a=${candidate}\r\n`);
    const [ufrag] = /^a=ice-ufrag:\S+/m.exec(this.#peer.localDescription.sdp);
    const section = "m=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n";
    const body = `${ufrag}\r\n${section}${lines.join("")}`;
    const headers = { "Content-Type": "application/trickle-ice-sdpfrag", "If-Match": this.#etag };
    fetch(this.#session, { method: "PATCH", headers, body }).catch(() => {});
  }
}

async function send(url, about) {
  let answer;
  try {
    answer = await fetch(url, about);
  } catch {
    throw new Error("no answer from the station");
  }
  if (answer.status === 201) return answer;
  const said = await answer.json().catch(() => ({}));
  const why = typeof said.detail === "string" ? said.detail : `the station answers ${answer.status}`;
  throw new Error(why);
}
