"""The contract of the bus, the client that speaks it, and the life of a service."""

from .client import Bus
from .errors import BusError, Declined, Nobody, Refusal, Refused
from .messages import Message, Metric
from .service import main
from .settings import Mqtt, Settings
from .topics import Levels, Request, Topic

__all__ = [
    "Bus",
    "BusError",
    "Declined",
    "Levels",
    "Message",
    "Metric",
    "Mqtt",
    "Nobody",
    "Refusal",
    "Refused",
    "Request",
    "Settings",
    "Topic",
    "main",
]
