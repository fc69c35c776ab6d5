"""The payloads of the bus, one module a family."""

from .base import Level, Message, Metric
from .camera import CameraLease, CameraMetadata, CameraState, CameraStatus, JpegLease, RelayStatus
from .history import HistoryQuery, HistorySeries
from .people import (
    ChatDelete,
    ChatHistory,
    ChatMessage,
    ChatResult,
    ChatSend,
    Heartbeat,
    Viewer,
    Viewers,
)
from .sensors import AudioLevel, Climate, CpuTemperature, IaqClass, SystemStats, iaq_class
from .service import Echo, ServiceState, ServiceStatus
from .stepper import StepperCommand, StepperLease, StepperResult, StepperStatus
from .webrtc import WebrtcAnswer, WebrtcEnd, WebrtcOffer

__all__ = [
    "AudioLevel",
    "CameraLease",
    "CameraMetadata",
    "CameraState",
    "CameraStatus",
    "ChatDelete",
    "ChatHistory",
    "ChatMessage",
    "ChatResult",
    "ChatSend",
    "Climate",
    "CpuTemperature",
    "Echo",
    "Heartbeat",
    "HistoryQuery",
    "HistorySeries",
    "IaqClass",
    "JpegLease",
    "Level",
    "Message",
    "Metric",
    "RelayStatus",
    "ServiceState",
    "ServiceStatus",
    "StepperCommand",
    "StepperLease",
    "StepperResult",
    "StepperStatus",
    "SystemStats",
    "Viewer",
    "Viewers",
    "WebrtcAnswer",
    "WebrtcEnd",
    "WebrtcOffer",
    "iaq_class",
]
