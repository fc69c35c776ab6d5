"""Debian's nginx with the files of nginx/, as a server of its own or in a site that is there."""

import contextlib
import http.client
import os
import pwd
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from conftest import DEADLINE, free_port, wait_until
from web_station import Answer
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

MAIN = """\
daemon off;
user {user};
pid {folder}/nginx.pid;
error_log {folder}/nginx.log warn;
include beeper-keeper/main.conf;
events {{ worker_connections 8192; }}
http {{
  log_format whom '$remote_addr $remote_user "$request" $status $upstream_addr';
  access_log {folder}/access.log whom;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  include beeper-keeper/http.conf;
  include site.conf;
}}
"""
EXISTING = """\
server {
  listen 443 ssl http2;
  ssl_certificate cert.pem;
  ssl_certificate_key key.pem;
  location / { return 200 "another site\\n"; }
  location /secure/ {
    include beeper-keeper/station.conf;
    # include beeper-keeper/basic.conf;
  }
}
"""
CERTIFICATE = "/etc/letsencrypt/live/beeper.example.org"

Form = Literal["", "secure/"]


class ShippedNginx:
    """`prefix` is "" for the TLS server, "secure/" for the includes in a site that is there."""

    source = "127.0.0.9"
    """The address to ask from."""

    def __init__(
        self, folder: Path, web: int, prefix: Form, changes: Mapping[str, str] | None = None
    ) -> None:
        self.prefix = prefix
        self.port, self.plain = free_port(), free_port()
        self._folder = folder
        folder.mkdir(exist_ok=True)
        shutil.copytree("nginx", folder / "beeper-keeper")
        self._changes = {
            "127.0.0.1:8080": f"127.0.0.1:{web}",
            "listen 443 ": f"listen 127.0.0.1:{self.port} ",
            "listen [::]:443 ssl http2;": "",
            "listen 80;": f"listen 127.0.0.1:{self.plain};",
            "listen [::]:80;": "",
            f"{CERTIFICATE}/fullchain.pem": "cert.pem",
            f"{CERTIFICATE}/privkey.pem": "key.pem",
            **(changes or {}),
        }
        for file in (folder / "beeper-keeper").glob("*.conf"):
            self._write(file, file.read_text(encoding="utf-8"))
        site = (folder / "beeper-keeper" / "site.conf").read_text(encoding="utf-8")
        self._write(folder / "site.conf", EXISTING if prefix else site)
        user = pwd.getpwuid(os.getuid()).pw_name
        (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user=user), encoding="utf-8")
        make_certificate(folder)
        command = ["nginx", "-c", str(folder / "nginx.conf"), "-e", "stderr"]
        subprocess.run([*command, "-t", "-q"], check=True)
        self._process = subprocess.Popen(command)
        wait_until(self._answers, "nginx listens")

    def _write(self, file: Path, text: str) -> None:
        for old, new in self._changes.items():
            text = text.replace(old, new)
        file.write_text(text, encoding="utf-8")

    def _answers(self) -> bool:
        try:
            return bool(self.get("healthz").status)
        except OSError:
            return False

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/{self.prefix}"

    @contextlib.contextmanager
    def asking(
        self, path: str, method: str = "GET", **headers: str
    ) -> Iterator[http.client.HTTPResponse]:
        """The answer to a path below the prefix, as it comes; `X_Y` is the header X-Y."""
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=15, context=self.tls, source_address=(self.source, 0)
        )
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with contextlib.closing(connection):
            connection.request(method, f"/{self.prefix}{path}", headers=named)
            with connection.getresponse() as answer:
                yield answer

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """The whole answer."""
        with self.asking(path, method, **headers) as answer:
            return Answer(answer.status, answer.headers, answer.read())

    def socket(self, path: str) -> ClientConnection:
        """A WebSocket, as the page opens it."""
        here = f"localhost:{self.port}"
        return connect(
            f"wss://{here}/{self.prefix}{path}",
            sock=socket.create_connection(("127.0.0.1", self.port)),
            ssl=self.tls,
            origin=Origin(f"https://{here}"),
            compression=None,
        )

    @property
    def tls(self) -> ssl.SSLContext:
        """Trusts the certificate of this server only."""
        context = ssl.create_default_context(cafile=self._folder / "cert.pem")
        context.check_hostname = False
        return context

    def outside(self, path: str) -> bytes:
        """What a path beside the prefix gives."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.tls)
        with contextlib.closing(connection):
            connection.request("GET", path)
            return connection.getresponse().read()

    def redirect(self, path: str) -> tuple[int, str]:
        """Where plain http leads."""
        connection = http.client.HTTPConnection("127.0.0.1", self.plain)
        with contextlib.closing(connection):
            connection.request("GET", path, headers={"Host": "localhost"})
            answer = connection.getresponse()
            return answer.status, answer.headers["location"]

    def log(self) -> str:
        return (self._folder / "access.log").read_text(encoding="utf-8")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(DEADLINE)


def make_certificate(folder: Path) -> None:
    """One that signs itself, for localhost."""
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(
        ["openssl", "req", "-x509", *kind, *subject, *files], check=True, capture_output=True
    )
