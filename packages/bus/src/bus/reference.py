"""The settings of a service as commented TOML: what `--explain-settings` prints."""

import json
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from .address import hide_addresses
from .settings import Settings


def toml(settings: Settings, shared: bool) -> str:
    """Every table and key with its meaning and the value in force, each key commented out.

    TOML has no null: a key without a value is named in a comment.

    Without `shared`, the tables that every service has are left out.
    """
    own = [name for name in type(settings).model_fields if name not in Settings.model_fields]
    names = [*(Settings.model_fields if shared else []), *own]
    fields = {name: type(settings).model_fields[name] for name in names}
    return "\n".join(table("", settings, fields)) + "\n"


def table(path: str, values: BaseModel, fields: dict[str, FieldInfo]) -> Iterator[str]:
    """The keys of one table, then its tables."""
    tables = {}
    for name, field in fields.items():
        value = getattr(values, name)
        if isinstance(value, BaseModel | dict):
            tables[name] = value
            continue
        if field.description:
            yield f"# {field.description}"
        yield f"# {name}: not set" if value is None else f"#{name} = {literal(value)}"
    for name, value in tables.items():
        place = f"{path}.{name}".lstrip(".")
        if isinstance(value, dict) and not of_tables(fields[name]):
            yield from ("", f"# {fields[name].description}", f"#[{place}]")
            yield from (f"#{key} = {literal(entry)}" for key, entry in value.items())
        else:
            yield from sections(place, value)


def of_tables(field: FieldInfo) -> bool:
    """Whether the entries of a dictionary are tables, not values."""
    kinds = get_args(field.annotation)
    return any(isinstance(kind, type) and issubclass(kind, BaseModel) for kind in kinds)


def sections(path: str, value: Any) -> Iterator[str]:
    """A table, or one table for each entry of a dictionary of them."""
    if isinstance(value, dict):
        for name, entry in value.items():
            if isinstance(entry, BaseModel):
                yield from sections(f"{path}.{name}", entry)
        return
    yield from ("", f"[{path}]")
    yield from table(path, value, type(value).model_fields)


def literal(value: Any) -> str:
    """A TOML value; secrets are left empty, and out of addresses."""
    if isinstance(value, SecretStr):
        return '""'
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    return json.dumps(hide_addresses(str(value)), ensure_ascii=False)
