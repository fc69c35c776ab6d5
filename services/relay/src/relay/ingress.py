"""An ingress of LiveKit as `create-ingress` leaves it in a file for a relay."""

import json
import os
import tempfile
from pathlib import Path

from pydantic import BaseModel, SecretStr, ValidationError


class Ingress(BaseModel):
    """Where a relay pushes to, as `create-ingress` leaves it in a file."""

    url: str
    stream_key: SecretStr
    room: str
    name: str
    ingress_id: str

    def write(self, file: Path) -> None:
        """Into a file that only its owner can read, whole or not at all; raises OSError."""
        shown = self.model_dump() | {"stream_key": self.stream_key.get_secret_value()}
        text = json.dumps(shown, indent=2) + "\n"
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                out.write(text)
                out.flush()
                os.fsync(out.fileno())
            Path(name).replace(file)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise


def key_in(text: str) -> str:
    """The stream key in the text of a key's file: alone, or as create-ingress writes it.

    Raises ValueError for anything else that begins like the latter.
    """
    if not text.startswith("{"):
        return text
    try:
        return Ingress.model_validate_json(text).stream_key.get_secret_value()
    except ValidationError:
        raise ValueError("create-ingress did not write this") from None
