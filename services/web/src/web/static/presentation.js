/** Which frame a video element shows, and when it reaches the screen. */

/** Calls `shown({media, moment, count, rtp})` for each frame: its media time in s, the
 *  performance.now() at which it is due on the screen, the frames presented since the call before,
 *  and its RTP timestamp where the browser tells one. → stop(). */
export function watchPresentation(video, shown) {
  return "requestVideoFrameCallback" in video ? byFrame(video, shown) : byQuality(video, shown);
}

function byFrame(video, shown) {
  let presented = null;
  let handle = 0;
  const each = (_now, frame) => {
    const count = presented === null ? 1 : frame.presentedFrames - presented;
    presented = frame.presentedFrames;
    handle = video.requestVideoFrameCallback(each);
    const { mediaTime: media, expectedDisplayTime: moment, rtpTimestamp: rtp } = frame;
    shown({ media, moment, count, rtp });
  };
  handle = video.requestVideoFrameCallback(each);
  return () => video.cancelVideoFrameCallback(handle);
}

/** Older browsers only count their frames. */
function byQuality(video, shown) {
  let presented = 0;
  let handle = 0;
  const each = (moment) => {
    const { totalVideoFrames, droppedVideoFrames } = video.getVideoPlaybackQuality();
    const count = totalVideoFrames - droppedVideoFrames - presented;
    presented += count;
    handle = requestAnimationFrame(each);
    if (count > 0) shown({ media: video.currentTime, moment, count });
  };
  handle = requestAnimationFrame(each);
  return () => cancelAnimationFrame(handle);
}

/** The frames on their way through the element, to know one again by its media time. */
export class InFlight {
  #frames = [];

  add(media, info) {
    this.#frames.push({ media, info });
    if (this.#frames.length > 600) this.#frames.splice(0, 300);
  }

  /** The frame at a media time; null when none is within half a `tolerance` (s). */
  find(media, tolerance = 0.01) {
    for (let i = this.#frames.length - 1; i >= 0; i--) {
      const frame = this.#frames[i];
      if (Math.abs(frame.media - media) <= tolerance / 2) return frame.info;
      if (frame.media < media - 1) break;
    }
    return null;
  }
}
