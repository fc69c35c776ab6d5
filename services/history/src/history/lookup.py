"""The questions to the tables: buckets of one field of one series."""

from bus.points import Measurement

from .schema import WIDE, quoted

BUCKETS = (
    "SELECT CAST(moment / :width AS INTEGER) AS number, avg(moment), avg(mean), min(low), "
    "max(high) FROM ({}) WHERE mean IS NOT NULL GROUP BY number"
)


def from_readings(kept: Measurement, field: str) -> str:
    """Buckets of what was measured between :begin and :stop."""
    return BUCKETS.format(readings(kept, field, ":begin"))


def from_windows(kept: Measurement, field: str) -> str:
    """The same from the windows, which go up to :rolled, and from what has none yet.

    That is put into windows first, so that a bucket's mean is one of equal parts.
    """
    mean, low, high = (quoted(f"{field}{end}") for end in ("", "_min", "_max"))
    return BUCKETS.format(
        f"SELECT moment + {WIDE // 2} AS moment, {mean} AS mean, {low} AS low, {high} AS high "
        f"FROM main.{kept.name}_windows "
        f"WHERE series = :series AND moment >= :begin AND moment < min(:stop, :rolled) "
        f"UNION ALL SELECT avg(moment), avg(mean), min(low), max(high) "
        f"FROM ({readings(kept, field, 'max(:begin, :rolled)')}) GROUP BY moment / {WIDE}"
    )


def readings(kept: Measurement, field: str, begin: str) -> str:
    """What is on the disk, and what is in memory only."""
    name = quoted(field)
    return " UNION ALL ".join(
        f"SELECT moment, {name} AS mean, {name} AS low, {name} AS high FROM {place}.{kept.name} "
        f"WHERE series = :series AND moment >= {begin} AND moment < :stop AND {name} IS NOT NULL"
        for place in ("main", "temp")
    )
