/** The sound beside a WebCodecs picture: Opus packets, decoded and played one after another. */

/** Seconds between a packet's arrival and its sound: enough for the network, little beside the picture. */
const LEAD = 0.03;
const LEAD_STEP = 0.02;
const LEAD_MOST = 0.12;
/** Seconds of it given back a second, and between two steps: one hiccup makes many late packets. */
const LEAD_DECAY = 0.003;
const HICCUP = 1;
/** Sound that waits so much longer than the lead is late: packets are dropped until it fits again. */
const LATE_MOST = 0.05;
/** How strongly the two clocks are brought together, and the change of pitch that nobody hears. */
const CHASE = 0.1;
const STRETCH = 0.005;

/** Playback rate that brings `ahead` seconds of queued sound to `lead`. */
export function stretch(ahead, lead) {
  return 1 + Math.max(-STRETCH, Math.min(STRETCH, (ahead - lead) * CHASE));
}

export class Sound {
  /** Milliseconds from capture to ear for the newest packet, by the station's clock. */
  latency = null;
  #on;
  #context = new AudioContext({ latencyHint: "interactive", sampleRate: 48000 });
  #decoder = null;
  #timescale = 48000;
  #captures = new Map();
  #next = 0;
  #lead = LEAD;
  #last = null;
  #raised = -Infinity;

  /** `on`: soundFailed(reason), and clock (ServerClock). Make it in a click: browsers ask for one. */
  constructor(on) {
    this.#on = on;
    if (this.#context.state === "suspended") this.#context.resume();
  }

  configure({ codec, channels, timescale }) {
    this.#timescale = timescale;
    if (!("AudioDecoder" in globalThis)) {
      this.#on.soundFailed("this browser cannot decode sound beside WebCodecs; choose MSE for sound");
      return;
    }
    this.#end();
    this.#last = null;
    this.#decoder = new AudioDecoder({
      output: (data) => this.#schedule(data),
      error: (error) => this.#on.soundFailed(error.message),
    });
    this.#decoder.configure({ codec, sampleRate: 48000, numberOfChannels: channels });
  }

  /** One packet as it has come from the network. */
  play({ seq, tfdt, capture, data }) {
    if (this.#decoder?.state !== "configured") return;
    if (this.#last !== null && seq <= this.#last) return;
    this.#last = seq;
    const timestamp = Math.round((tfdt / this.#timescale) * 1e6);
    this.#captures.set(timestamp, capture);
    if (this.#captures.size > 100) this.#captures.delete(this.#captures.keys().next().value);
    this.#decoder.decode(new EncodedAudioChunk({ type: "key", timestamp, data }));
  }

  close() {
    this.#end();
    this.#context.close();
  }

  #end() {
    if (this.#decoder && this.#decoder.state !== "closed") this.#decoder.close();
    this.#decoder = null;
  }

  #schedule(data) {
    const now = this.#context.currentTime;
    const capture = this.#captures.get(data.timestamp);
    this.#captures.delete(data.timestamp);
    if (this.#context.state !== "running" || this.#next - now > this.#lead + LATE_MOST) {
      data.close();
      return;
    }
    if (this.#next < now) this.#underrun(now);
    const source = this.#source(data);
    source.playbackRate.value = stretch(this.#next - now, this.#lead);
    source.start(this.#next);
    this.#measure(capture, this.#next - now);
    this.#next += source.buffer.duration / source.playbackRate.value;
    this.#lead = Math.max(LEAD, this.#lead - LEAD_DECAY * source.buffer.duration);
  }

  /** The queue ran dry: begin again, a little further from the edge. */
  #underrun(now) {
    if (this.#next > 0 && now - this.#raised > HICCUP) {
      this.#raised = now;
      this.#lead = Math.min(LEAD_MOST, this.#lead + LEAD_STEP);
    }
    this.#next = now + this.#lead;
  }

  #source(data) {
    const { numberOfFrames, numberOfChannels, sampleRate } = data;
    const buffer = this.#context.createBuffer(numberOfChannels, numberOfFrames, sampleRate);
    for (let planeIndex = 0; planeIndex < numberOfChannels; planeIndex++) {
      data.copyTo(buffer.getChannelData(planeIndex), { planeIndex, format: "f32-planar" });
    }
    data.close();
    const source = this.#context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.#context.destination);
    return source;
  }

  #measure(capture, ahead) {
    const now = this.#on.clock.now();
    if (capture === undefined || now === null) return;
    const heard = now + ahead + (this.#context.outputLatency || this.#context.baseLatency || 0);
    const latency = (heard - capture) * 1000;
    this.latency = this.latency === null ? latency : this.latency + (latency - this.latency) / 16;
  }
}
