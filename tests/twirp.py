"""A small server that speaks LiveKit's ingress service (Twirp, protobuf): data, no media."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from livekit.protocol import ingress as protocol
from livekit.protocol.models import TokenPagination

KEY = "APIkey"
SECRET = "a-secret-of-more-than-thirty-two-characters"  # noqa: S105 (of these tests only)
PAGE = 2


class Livekit(ThreadingHTTPServer):
    """Keeps what it was asked to create; `broken` answers everything in its own way."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.items: list[protocol.IngressInfo] = []
        self.calls: list[str] = []
        self.broken: tuple[int, str, bytes] | None = None
        self.silent = threading.Event()
        self.base = {0: "rtmp://127.0.0.1:1935/live", 1: "http://127.0.0.1:8085/w"}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def add(self, asked: protocol.CreateIngressRequest) -> protocol.IngressInfo:
        number = len(self.items)
        info = protocol.IngressInfo(
            ingress_id=f"IN_{number}",
            name=asked.name,
            stream_key=f"key-{number}-of-{asked.name}",
            url=self.base[asked.input_type],
            input_type=asked.input_type,
            room_name=asked.room_name,
            participant_identity=asked.participant_identity,
        )
        if asked.HasField("enable_transcoding"):
            info.enable_transcoding = asked.enable_transcoding
        self.items.append(info)
        return info


class Handler(BaseHTTPRequestHandler):
    server: Livekit

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        method = self.path.rpartition("/")[2]
        self.server.calls.append(method)
        if self.server.silent.is_set():
            self.server.silent.wait()
            self.rfile.read(1)
            return
        if self.server.broken:
            self.answer(*self.server.broken)
        elif not self.may():
            said = {"code": "unauthenticated", "msg": "invalid token"}
            self.answer(401, "application/json", json.dumps(said).encode())
        elif method == "CreateIngress":
            asked = protocol.CreateIngressRequest.FromString(body)
            self.say(self.server.add(asked).SerializeToString())
        else:
            self.say(self.page(protocol.ListIngressRequest.FromString(body)))

    def page(self, asked: protocol.ListIngressRequest) -> bytes:
        begin = int(asked.page_token.token or 0)
        end = begin + PAGE
        answer = protocol.ListIngressResponse(items=self.server.items[begin:end])
        if end < len(self.server.items):
            answer.next_page_token.CopyFrom(TokenPagination(token=str(end)))
        return answer.SerializeToString()

    def may(self) -> bool:
        token = self.headers["Authorization"].removeprefix("Bearer ")
        try:
            claims = jwt.decode(token, SECRET, algorithms=["HS256"], issuer=KEY)
        except jwt.InvalidTokenError:
            return False
        return bool(claims["video"]["ingressAdmin"])

    def say(self, body: bytes) -> None:
        self.answer(200, "application/protobuf", body)

    def answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
