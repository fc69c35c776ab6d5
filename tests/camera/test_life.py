"""What happens when parts die: the encoder, the service, the broker, the demand."""

import itertools
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as paho
from bus.messages import CameraLease
from bus.settings import client_id
from camera_ear import Ear, alive, children, variables
from conftest import Broker, Start, wait_until
from paho.mqtt.enums import CallbackAPIVersion
from station.broker import password

SMALL = {"driver": "test", "width": "320", "height": "240", "fps": "20"}

KILLED = "it was killed by SIGKILL (out of memory?)"


def test_a_killed_encoder_is_started_again(start: Start, ear: Ear) -> None:
    service = start("camera", "csi", **variables("csi", **SMALL))
    ear.more(10)
    (pid,) = children(service)
    os.kill(pid, signal.SIGKILL)
    ear.said(lambda s: s.restarts == 1 and s.error == KILLED, "the reason")
    ear.said(lambda s: s.restarts == 1 and s.state == "streaming" and not s.error, "the restart")
    ear.sessions(2)
    times = [frame.header.tfdt for frame in ear.video]
    assert all(one < other for one, other in itertools.pairwise(times))
    sessions = [properties["session"] for _, properties, _ in ear.inits["video"]]
    assert len(set(sessions)) == 2
    first = next(frame for frame in ear.video if frame.session == sessions[-1])
    assert (first.header.seq, first.header.key) == (1, True)


def test_an_encoder_that_hangs_is_started_again(start: Start, ear: Ear) -> None:
    service = start("camera", "csi", **variables("csi", **SMALL, stall_timeout="3"))
    ear.more(10)
    (pid,) = children(service)
    os.kill(pid, signal.SIGSTOP)
    ear.said(lambda s: s.error == "no frame for 3 s", "the stall")
    ear.sessions(2)
    assert not alive(pid)


def test_the_end_is_clean_and_quick(start: Start, ear: Ear) -> None:
    service = start("camera", "csi", **variables("csi", **SMALL, audio="test"))
    ear.more(10)
    ear.more(10, "audio")
    pids = list(children(service))
    assert len(pids) == 2
    assert service.terminate() == 0
    wait_until(lambda: ear.services[-1].state == "offline", "offline")
    wait_until(lambda: ear.statuses[-1].state == "stopped", "the last status")
    assert not any(map(alive, pids))
    assert "Traceback" not in service.log()


def test_a_killed_service_leaves_no_encoder(start: Start, ear: Ear) -> None:
    service = start("camera", "csi", **variables("csi", **SMALL, audio="test"))
    ear.more(10)
    ear.more(10, "audio")
    pids = list(children(service))
    service.kill()
    wait_until(lambda: not any(map(alive, pids)), "the encoders end")
    wait_until(lambda: ear.services[-1].state == "lost", "lost")


def test_without_a_broker_it_goes_on_encoding(start: Start, ear: Ear, broker: Broker) -> None:
    service = start("camera", "csi", **variables("csi", **SMALL))
    ear.more(10)
    before, pids = memory(service.process.pid), list(children(service))
    broker.stop()
    written = ticks(pids[0])
    wait_until(lambda: ticks(pids[0]) > written + 20, "the encoder works on")
    assert list(children(service)) == pids
    assert memory(service.process.pid) < before + 4_000_000
    broker.start()
    seen = len(ear.video)
    wait_until(lambda: len(ear.video) > seen + 5, "pictures again")
    again = ear.video[seen:]
    assert again[0].session == ear.video[0].session
    numbers = [frame.header.seq for frame in again[:5]]
    assert numbers == list(range(numbers[0], numbers[0] + 5))
    assert ear.said(lambda s: s.dropped, "drops are counted").restarts == 0


def test_a_camera_of_which_nothing_leaves_says_so_and_goes_on(
    start: Start, ear: Ear, broker: Broker
) -> None:
    start("camera", "csi", **variables("csi", **SMALL))
    ear.more(10)
    with usurped(broker.port, client_id("camera-csi-media", password(broker.folder, "camera-csi"))):
        wait_until(lambda: "media" in ear.services[-1].problems, "a problem of the service")
        ear.said(lambda s: s.dropped and s.state == "streaming", "the encoder works on")
    wait_until(lambda: "media" not in ear.services[-1].problems, "all is well again")
    ear.more(10)
    assert {status.restarts for status in ear.statuses} == {0}


@contextmanager
def usurped(port: int, name: str) -> Iterator[None]:
    """Somebody connects under a client's name, again and again: the broker ends the other one."""
    client = paho.Client(CallbackAPIVersion.VERSION2, name, protocol=paho.MQTTv5)
    over = threading.Event()

    def usurp() -> None:
        while not over.is_set():
            if client.loop(0.01) != paho.MQTT_ERR_SUCCESS:
                client.connect("127.0.0.1", port)
        client.disconnect()

    thread = threading.Thread(target=usurp)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def memory(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def ticks(pid: int) -> int:
    """CPU time used, in clock ticks."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def test_on_demand_it_encodes_while_a_lease_lasts(start: Start, ear: Ear) -> None:
    service = start("camera", "csi", **variables("csi", **SMALL, demand="on_demand", audio="test"))
    ear.said(lambda s: s.state == "stopped" and s.demand == "on_demand", "rest")
    assert not children(service)
    lease = CameraLease(holder="web", seconds=1).model_dump_json()

    def films() -> bool:
        # The encoders may take longer to start than a lease lasts.
        ear.client.publish("beeper/camera/csi/lease", lease, 1)
        return len(ear.video) >= 5 and len(ear.sound) >= 5

    wait_until(films, "pictures and sound while it is wanted")
    wait_until(lambda: not children(service), "the encoders end with the lease")
    wait_until(lambda: ear.statuses[-1].state == "stopped", "rest again")
    assert {status.restarts for status in ear.statuses} == {0}
    ear.video.clear()
    ear.sound.clear()
    wait_until(films, "pictures and sound again")


def test_without_ffmpeg_it_says_what_to_install(start: Start, ear: Ear, tmp_path: Path) -> None:
    (tmp_path / "setpriv").symlink_to("/usr/bin/setpriv")
    service = start("camera", "csi", PATH=str(tmp_path), **variables("csi", **SMALL))
    status = ear.said(lambda s: s.restarts > 1, "it goes on trying")
    assert status.error == "ffmpeg is not installed (apt install ffmpeg)"
    assert service.process.poll() is None
    assert service.log().count("ffmpeg is not installed") == 1
    wait_until(lambda: "video" in ear.services[-1].problems, "a problem of the service")
