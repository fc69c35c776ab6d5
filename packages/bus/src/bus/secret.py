"""A secret of the settings: written there, or better in a file of its own."""

from pathlib import Path

from pydantic import SecretStr


def read_secret(value: SecretStr, file: Path | None) -> str:
    """The secret, from its file when one is named; empty when there is none.

    Raises OSError when the file cannot be read.
    """
    if file:
        return file.read_text(encoding="utf-8").strip()
    return value.get_secret_value()
