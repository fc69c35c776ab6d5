"""What a query in Flux names, read out of its text."""

import re
from typing import NamedTuple


class Named(NamedTuple):
    """The bucket, the measurements, the fields and the tags of one query."""

    buckets: frozenset[str]
    measurements: frozenset[str]
    fields: frozenset[str]
    tags: frozenset[str]


OWN_COLUMNS = frozenset({"_measurement", "_field", "_value", "_time", "statistic"})


def named(flux: str) -> Named:
    """Everything that must exist for the query to find something."""

    def all_of(pattern: str) -> frozenset[str]:
        return frozenset(re.findall(pattern, flux))

    compared = all_of(r"r\.(\w+) == ")
    grouped = {
        name
        for columns in re.findall(r"(?:keep|group)\(columns: \[([^\]]*)\]", flux)
        for name in re.findall(r'"(\w+)"', columns)
    }
    fields = all_of(r'r\._field == "([^"]+)"')
    return Named(
        all_of(r'bucket: "([^"]+)"'),
        all_of(r'r\._measurement == "([^"]+)"'),
        fields,
        (compared | grouped) - OWN_COLUMNS - fields,
    )
