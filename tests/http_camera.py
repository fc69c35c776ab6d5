"""A camera over HTTP as they were seen to be: each path has a fault of its own.

/ok, /dashes, /quoted, /space, /noct, /noboundary, /nolen, /wronglen, /nocrlf, /trunc, /garbage,
/empty, /size, /short, /raw: Motion JPEG; /still: one picture; /page, /401, /404, /500: no picture;
/silent: no answer; /broken: no HTTP; a name of `files`: that.
"""

import base64
import hashlib
import re
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

REALM = 'realm="camera", nonce="0123456789abcdef"'


def jpegs(size: str, count: int = 10) -> list[bytes]:
    """Different pictures."""
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"testsrc2=size={size}:rate=5"]
    command += ["-frames:v", str(count), "-q:v", "8", "-f", "mpjpeg", "-"]
    sent = subprocess.run(command, capture_output=True, check=True).stdout
    parts = sent.split(b"\r\n\r\n\xff\xd8")[1:]
    return [b"\xff\xd8" + part.rsplit(b"\xff\xd9", 1)[0] + b"\xff\xd9" for part in parts]


class HttpCamera:
    """Serves until it is closed. login: `user:password`; scheme: Basic or Digest."""

    def __init__(self, login: str = "", scheme: str = "Basic", rate: float = 20) -> None:
        self.pictures = jpegs("320x240")
        self.others = jpegs("640x360")
        self.login, self.scheme, self.rate = login, scheme, rate
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.tag = ""
        self.files: dict[str, bytes] = {}
        self.closed = threading.Event()
        camera = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                camera.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
                camera.answer(self, self.path.strip("/").partition("?")[0])

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port: int = self.server.server_address[1]
        self._thread = threading.Thread(target=self.server.serve_forever)
        self._thread.start()

    def __enter__(self) -> "HttpCamera":
        return self

    def __exit__(self, *_: object) -> None:
        self.closed.set()
        self.server.shutdown()
        self.server.server_close()
        self._thread.join(5)

    def url(self, path: str, login: str = "", query: str = "") -> str:
        at = f"{login}@" if login else ""
        return f"http://{at}127.0.0.1:{self.port}/{path}{query}"

    def answer(self, to: BaseHTTPRequestHandler, mode: str) -> None:
        try:
            self._answer(to, mode)
        except OSError:
            to.close_connection = True

    def _answer(self, to: BaseHTTPRequestHandler, mode: str) -> None:
        if mode == "silent":
            self.closed.wait(60)
        elif mode == "broken":
            to.wfile.write(b"220 camera FTP ready\r\n")
            to.close_connection = True
        elif self.login and not self._known(to):
            challenge = f"{self.scheme} {REALM}" + (
                ', qop="auth"' if self.scheme == "Digest" else ""
            )
            self._send(to, 401, "text/html", b"<html>no</html>", {"WWW-Authenticate": challenge})
        elif mode.isdecimal():
            self._send(to, int(mode), "text/html", b"<html>no</html>")
        elif mode == "page":
            self._send(to, 200, "text/html", b"<!DOCTYPE html><html>Log in</html>")
        elif mode == "still":
            self._still(to)
        elif mode in self.files:
            self._send(to, 200, "application/octet-stream", self.files[mode])
        else:
            self._stream(to, mode)

    def _known(self, to: BaseHTTPRequestHandler) -> bool:
        given = to.headers.get("authorization", "")
        user, _, password = self.login.partition(":")
        if self.scheme == "Basic":
            return given == "Basic " + base64.b64encode(self.login.encode()).decode()
        fields = dict(re.findall(r'(\w+)="?([^",]*)"?', given))

        def md5(*parts: str) -> str:
            return hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()

        one, two = md5(user, "camera", password), md5("GET", to.path)
        middle = [fields.get(name, "") for name in ("nonce", "nc", "cnonce", "qop")]
        return fields.get("response") == md5(one, *middle, two)

    def _send(
        self,
        to: BaseHTTPRequestHandler,
        status: int,
        kind: str,
        body: bytes,
        fields: dict[str, str] | None = None,
    ) -> None:
        to.send_response(status)
        for name, value in {"Content-Type": kind, **(fields or {})}.items():
            to.send_header(name, value)
        to.send_header("Content-Length", str(len(body)))
        to.end_headers()
        to.wfile.write(body)

    def _still(self, to: BaseHTTPRequestHandler) -> None:
        if self.tag and to.headers.get("if-none-match") == self.tag:
            to.send_response(304)
            to.send_header("ETag", self.tag)
            to.end_headers()
            return
        picture = self.pictures[len(self.asked) % 10]
        self._send(to, 200, "image/jpeg", picture, {"ETag": self.tag} if self.tag else None)

    def _stream(self, to: BaseHTTPRequestHandler, mode: str) -> None:
        to.close_connection = True
        boundary = {"dashes": "--myb", "quoted": '"myb"', "space": "myb "}.get(mode, "myb")
        multipart = f"multipart/x-mixed-replace; boundary={boundary}"
        if mode == "bytes":
            multipart = "video/mp2t"
        kind = "video/x-motion-jpeg" if mode in ("noct", "raw") else multipart
        to.wfile.write(f"HTTP/1.0 200 OK\r\nContent-Type: {kind}\r\n\r\n".encode())
        number = 0
        while not self.closed.wait(1 / self.rate):
            to.wfile.write(self._part(mode, number))
            number += 1
            if mode == "short" and number == 5:
                return

    def _part(self, mode: str, number: int) -> bytes:
        pictures = self.others if mode == "size" and number // 15 % 2 else self.pictures
        body = pictures[number % 10]
        if mode == "raw":
            return body
        if mode == "bytes":
            return b"G@\0\x10" * 100
        if number % 3 == 1:
            odd = {"trunc": body[: len(body) // 2], "garbage": b"<html>500</html>", "empty": b""}
            body = odd.get(mode, body)
        head = b"" if mode == "noboundary" and number == 0 else b"--myb\r\n"
        head += b"Content-Type: image/jpeg\r\n"
        if mode not in ("nolen", "dashes"):
            head += b"Content-Length: %d\r\n" % (len(body) - 100 * (mode == "wronglen"))
        return head + b"\r\n" + body + (b"\r\n" if mode != "nocrlf" else b"")
