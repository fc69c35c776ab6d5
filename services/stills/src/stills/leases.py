"""Who wants JPEGs, how many a second, and until when."""

from bus.messages import JpegLease


class Leases:
    """The leases on one camera; times are seconds of any clock that never steps."""

    def __init__(self) -> None:
        self._until: dict[str, tuple[float, float]] = {}

    def renew(self, lease: JpegLease, now: float) -> None:
        """A holder's newest lease replaces its last one."""
        self._until[lease.holder] = now + lease.seconds, lease.fps

    def fps(self, now: float) -> float:
        """What the most demanding holder wants; 0 when every lease has run out."""
        self._until = {who: lease for who, lease in self._until.items() if lease[0] > now}
        return max((fps for _, fps in self._until.values()), default=0.0)
