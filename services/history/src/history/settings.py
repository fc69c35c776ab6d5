"""Settings of `history`."""

from pathlib import Path
from typing import Literal, Self

import bus
from bus.points import LONG_BUCKET, ORGANISATION, RAW_BUCKET
from bus.secret import read_secret
from bus.settings import Section
from pydantic import Field, SecretStr, model_validator


class Influxdb(Section):
    """Where InfluxDB 2 is, and what may be read there."""

    url: str = Field("", pattern=r"^(https?://.+)?$", description="such as http://127.0.0.1:8086")
    org: str = Field(ORGANISATION, min_length=1, description="the organisation")
    bucket: str = Field(RAW_BUCKET, min_length=1, description="every reading")
    long_bucket: str = Field(LONG_BUCKET, min_length=1, description="the means of five minutes")
    raw_days: float = Field(30, gt=0, description="days that the first bucket goes back")
    token: SecretStr = Field(SecretStr(""), description="better: token_file")
    token_file: Path | None = Field(None, description="a file that holds a token that may read")
    timeout: float = Field(10, gt=0, le=120, description="s that it may take to answer")

    def secret(self) -> str:
        """The token, from its file when one is named; raises OSError when that is unreadable."""
        return read_secret(self.token, self.token_file)


class History(Section):
    """What is kept of the past, where, and for how long."""

    store: Literal["sqlite", "influxdb"] = Field(
        "sqlite", description="who answers; influxdb is filled by Telegraf"
    )
    hub: bool = Field(
        False, description="keep the readings of every station that is bridged to this broker"
    )
    record: bool = Field(
        True, description="keep readings in SQLite, also where InfluxDB answers: for its backfill"
    )
    flush: float = Field(
        60,
        gt=0,
        le=3600,
        description="s of readings that are written at once; a power cut costs them",
    )
    waiting: int = Field(
        10_000, ge=100, le=65_535, description="messages in memory at most; more stay at the broker"
    )
    session: int = Field(
        86_400, ge=0, le=31_536_000, description="s for which the broker keeps what comes meanwhile"
    )
    days: float = Field(30, gt=0, le=36_500, description="days for which every reading is kept")
    long_days: float = Field(
        730, gt=0, le=36_500, description="days for which the means of five minutes are kept"
    )
    max_bytes: int = Field(
        1_000_000_000, ge=1_000_000, description="size of the file; the oldest readings make room"
    )
    series: int = Field(
        2000, ge=1, description="topics that are kept at most: a station has about 30"
    )
    tidy: float = Field(3600, gt=0, le=86_400, description="s between two looks at age and size")
    influxdb: Influxdb = Influxdb()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.store == "influxdb" and not self.influxdb.url:
            raise ValueError('store = "influxdb" needs history.influxdb.url')
        if self.store == "sqlite" and not self.record:
            raise ValueError("there is nothing to do: record = false is for another store")
        return self


class Settings(bus.Settings):
    """Everything that `history` knows."""

    history: History = History()
