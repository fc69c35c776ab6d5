"""A small RTSP server (RFC 2326) that gives one live stream, interleaved over TCP."""

import socket
import subprocess
import threading
from pathlib import Path

from conftest import free_port, wait_until


class RtspServer:
    """Gives whoever asks what ffmpeg sends by RTP; it refuses anything but TCP."""

    def __init__(self, folder: Path, *source: str) -> None:
        self.url = ""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"rtsp://127.0.0.1:{self._listener.getsockname()[1]}/live"
        self._rtp = socket.socket(type=socket.SOCK_DGRAM)
        port = free_port()
        self._rtp.bind(("127.0.0.1", port))
        self._sdp = folder / "live.sdp"
        target = ["-f", "rtp", "-sdp_file", str(self._sdp), f"rtp://127.0.0.1:{port}"]
        command = ["ffmpeg", "-v", "error", "-nostdin", *source, *target]
        self._sender = subprocess.Popen(command)
        self._thread = threading.Thread(target=self._serve)
        wait_until(lambda: self._sdp.exists() and self._sdp.read_text(), "a description")
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        requests = connection.makefile("r", newline="\r\n")
        for first in requests:
            method = first.split()[0]
            fields = {}
            while (line := requests.readline().strip()) != "":
                key, _, value = line.partition(":")
                fields[key.lower()] = value.strip()
            connection.sendall(self._answer(method, fields))
            if method == "PLAY":
                self._forward(connection)
                return

    def _answer(self, method: str, fields: dict[str, str]) -> bytes:
        head = f"RTSP/1.0 200 OK\r\nCSeq: {fields['cseq']}\r\nSession: 1\r\n"
        if method == "SETUP":
            if "TCP" not in fields["transport"]:
                return f"RTSP/1.0 461 Unsupported\r\nCSeq: {fields['cseq']}\r\n\r\n".encode()
            head += f"Transport: {fields['transport']}\r\n"
        if method != "DESCRIBE":
            return f"{head}\r\n".encode()
        text = self._sdp.read_text().removeprefix("SDP:\n")
        media = "".join(
            f"{'m=video 0' + line[line.index(' RTP') :] if line.startswith('m=') else line}\r\n"
            for line in text.splitlines()
            if line
        )
        head += f"Content-Type: application/sdp\r\nContent-Length: {len(media)}\r\n"
        return f"{head}\r\n{media}".encode()

    def _forward(self, connection: socket.socket) -> None:
        try:
            while packet := self._rtp.recv(65536):
                packet = self.stamped(packet)
                connection.sendall(b"$\0" + len(packet).to_bytes(2, "big") + packet)
        except OSError:
            return

    def stamped(self, packet: bytes) -> bytes:
        """The RTP packet as it leaves."""
        return packet

    def close(self) -> None:
        """End it."""
        self._sender.kill()
        self._sender.wait()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with socket.socket(type=socket.SOCK_DGRAM) as last:
            last.sendto(b"", self._rtp.getsockname())
        self._thread.join(5)
        self._rtp.close()
