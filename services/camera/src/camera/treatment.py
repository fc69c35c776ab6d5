"""What has to be done to foreign pictures, so that every browser shows them as they were meant."""

from dataclasses import dataclass

from media.h264 import UPRIGHT, Orientation

_TURNS = {90: "transpose=clock", 180: "hflip,vflip", 270: "transpose=cclock"}


@dataclass(frozen=True, slots=True)
class Treatment:
    """width, height: of what comes, 0 if not known. Two that differ need an encoder each."""

    width: int
    height: int
    interlaced: bool = False
    orientation: Orientation = UPRIGHT

    def filters(self, limit: tuple[int, int], after: float | None) -> str:
        """For ffmpeg's -vf. limit: width and height at most; after: only what was taken later."""
        chain = [] if after is None else [f"trim=start={after + 1e-5:.6f}"]
        if self.interlaced:
            # Only frames that are marked: an interlaced stream may hold progressive ones too.
            chain.append("bwdif=mode=send_frame:deint=interlaced")
        chain += ["hflip"] * self.orientation.hor_flip + ["vflip"] * self.orientation.ver_flip
        if turn := _TURNS.get(self._turn):
            chain.append(turn)
        chain.append("scale=w='trunc(iw*sar/2)*2':h='trunc(ih/2)*2',setsar=1")
        chain.append(
            f"scale=w='min({limit[0]},iw)':h='min({limit[1]},ih)'"
            ":force_original_aspect_ratio=decrease:force_divisible_by=2"
        )
        # Where times come from the arrival, those of reordered frames are in the wrong order.
        chain.append(r"setpts='if(isnan(PREV_OUTPTS)\,PTS\,max(PTS\,PREV_OUTPTS+1))'")
        return ",".join(chain)

    @property
    def _turn(self) -> int:
        return round(self.orientation.clockwise / 90) % 4 * 90

    @property
    def words(self) -> str:
        """What is done beside encoding, for people; empty when nothing is."""
        done = ["deinterlaced"] * self.interlaced
        done += ["mirrored"] * (self.orientation.hor_flip or self.orientation.ver_flip)
        done += [f"turned by {self._turn}°"] * bool(self._turn)
        return ", ".join(done)
