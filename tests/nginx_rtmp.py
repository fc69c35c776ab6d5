"""Debian's nginx with its RTMP module, which records what is pushed to it."""

import subprocess
from pathlib import Path

from media.h264 import slices, split_annex_b
from relay_peers import Receiver

CONFIGURATION = """
load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
daemon off;
master_process off;
error_log {folder}/nginx.log;
pid {folder}/nginx.pid;
events {{ }}
rtmp {{
    server {{
        listen 127.0.0.1:{port};
        application live {{
            live on;
            record all;
            record_path {folder};
            record_suffix -{run}.flv;
        }}
    }}
}}
"""


class NginxRtmp(Receiver):
    """Takes any stream key."""

    @property
    def url(self) -> str:  # type: ignore[override]
        return f"rtmp://127.0.0.1:{self.port}/live"

    def command(self) -> list[str]:
        configuration = self._folder / "nginx.conf"
        values = {"folder": self._folder, "port": self.port, "run": self._runs}
        configuration.write_text(CONFIGURATION.format(**values), encoding="utf-8")
        return ["nginx", "-e", str(self._folder / "nginx.log"), "-c", str(configuration)]

    @property
    def file(self) -> Path:
        return next(self._folder.glob(f"*-{self._runs}.flv"), self._folder / "none")

    def received(self) -> list[bytes]:
        if not self.file.exists():
            return []
        command = ["ffmpeg", "-v", "quiet", "-nostdin", "-i", str(self.file), "-c", "copy"]
        command += ["-f", "h264", "-"]
        made = subprocess.run(command, stdout=subprocess.PIPE, check=False).stdout
        return slices(split_annex_b(made))
