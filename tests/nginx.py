"""A real nginx before web, one port for each person: it says for whom it asks."""

import socket
import subprocess
from functools import partial
from pathlib import Path

from conftest import DEADLINE, free_port, wait_until

HEAD = """\
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log warn;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
"""
SERVER = """\
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://127.0.0.1:{web};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header X-Forwarded-For {address};
    }}
  }}
"""


class Nginx:
    """`ports` has one for each address that it forwards."""

    def __init__(self, folder: Path, web: int, *addresses: str) -> None:
        self.ports = {address: free_port() for address in addresses}
        servers = [SERVER.format(port=p, web=web, address=a) for a, p in self.ports.items()]
        file = folder / "nginx.conf"
        file.write_text(HEAD.format(folder=folder) + "".join(servers) + "}\n", encoding="utf-8")
        self._process = subprocess.Popen(["nginx", "-c", str(file)], stderr=subprocess.DEVNULL)
        for port in self.ports.values():
            wait_until(partial(answers, port), "nginx listens")

    def url(self, address: str) -> str:
        return f"http://127.0.0.1:{self.ports[address]}/"

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(DEADLINE)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
