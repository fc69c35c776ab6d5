"""When a frame is on the screen of the page, beside the clock that is drawn into it: `glass`."""

SAMPLER = """
(() => {
  const samples = (window.glass = []);
  let last = null;

  function note(source, width, moment) {
    if (!width) return;
    const drawn = drawnAt(source, width);
    if (drawn === null || drawn === last) return;
    last = drawn;
    const wall = (performance.timeOrigin + moment) % 2 ** 32;
    samples.push({ at: performance.now(), latency: wall - drawn });
  }

  // A message posted from the animation frame is delivered after that frame has been rendered.
  const rendered = new MessageChannel();
  let now = null;
  rendered.port1.onmessage = () => {
    const moment = performance.now();
    if (now instanceof HTMLCanvasElement) note(now, now.width, moment);
    if (now instanceof HTMLImageElement && now.complete) note(now, now.naturalWidth, moment);
  };
  function frame() {
    const player = Object.values(window.beeper?.players ?? {})[0];
    const element = player?.element ?? null;
    if (element !== now && element instanceof HTMLVideoElement) follow(element);
    now = element;
    rendered.port2.postMessage(0);
    requestAnimationFrame(frame);
  }
  function follow(video) {
    const presented = (_, about) => {
      note(video, video.videoWidth, about.expectedDisplayTime);
      if (now === video) video.requestVideoFrameCallback(presented);
    };
    video.requestVideoFrameCallback(presented);
  }
  requestAnimationFrame(frame);
})();
"""

ASKED = """
{
  globalThis.asked = null;
  const { fetch, WebSocket } = globalThis;
  const note = (url) => { if (/live|whep/.test(url)) globalThis.asked ??= performance.now(); };
  globalThis.fetch = (what, ...rest) => (note(String(what?.url ?? what)), fetch(what, ...rest));
  globalThis.WebSocket = class extends WebSocket {
    constructor(url, ...rest) {
      note(String(url));
      super(globalThis.socketsBlocked ? url.replace("/live/", "/nowhere/") : url, ...rest);
    }
  };
}
"""
"""When the page first asks for video: `asked`; `socketsBlocked` keeps its WebSocket from it."""
