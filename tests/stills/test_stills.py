"""The stills service as users start it: real H.264 on the bus in, JPEGs out."""

import io
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from itertools import cycle

import av
import paho.mqtt.client as paho
import pytest
from av.video.frame import VideoFrame
from bus.messages import JpegLease
from conftest import Broker, Start, wait_until
from media.clock import VIDEO_TIMESCALE, boottime, ticks
from media.cmaf import VIDEO_TRACK, fragment, video_init
from media.h264 import is_key, length_prefixed, nal_type, slices, split_annex_b
from media.nut import NutReader
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from stills.leases import Leases

SPS, PPS = 7, 8
FPS = 30
ENCODE = (
    f"ffmpeg -v error -f lavfi -i testsrc2=s=320x240:r={FPS}:d=1 -pix_fmt yuv420p -c:v libx264 "
    "-preset ultrafast -tune zerolatency -profile:v baseline -g 10 -flags +global_header "
    "-f nut -flush_packets 1 -"
)


class Camera:
    """Plays one second of real video on the bus again and again, and collects the JPEGs."""

    def __init__(self, broker: Broker) -> None:
        self.jpegs: list[bytes] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_message = lambda _c, _u, message: self.jpegs.append(bytes(message.payload))
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        self._client.subscribe("media/csi/jpeg")
        encoded = subprocess.run(ENCODE.split(), stdout=subprocess.PIPE, check=True).stdout
        reader = NutReader()
        self._units = [slices(split_annex_b(packet.data)) for packet in reader.feed(encoded)]
        parameters = {nal_type(n): n for n in split_annex_b(reader.streams[0].extradata)}
        self._init = video_init(parameters[SPS], parameters[PPS])
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._play)
        self._thread.start()

    def lease(self, fps: float, seconds: float) -> None:
        lease = JpegLease(holder="test", fps=fps, seconds=seconds)
        self.publish("beeper/camera/csi/jpeg/lease", lease.model_dump_json().encode())

    def hold(self, fps: float, seconds: float, count: int) -> None:
        """Renew the lease, as its holders do, until `count` JPEGs have come."""

        def come() -> bool:
            self.lease(fps, seconds)
            return len(self.jpegs) >= count

        # The log says `connected` once for each of two connections: it may not hear leases yet.
        wait_until(come, f"{count} JPEGs come")

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        self._client.publish(topic, payload, 1, retain).wait_for_publish(10)

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._client.loop_stop()

    def _play(self) -> None:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.UserProperty = [("session", "a"), ("codecs", "avc1")]
        self._client.publish("media/csi/video/init", self._init, 1, True, properties)
        for seq, nals in enumerate(cycle(self._units)):
            tfdt = ticks(boottime(), VIDEO_TIMESCALE)
            data = length_prefixed(nals)
            frame = fragment(VIDEO_TRACK, seq, tfdt, 3000, time.time(), data, is_key(nals))
            self._client.publish("media/csi/video/fragment/a", frame)
            if self._stop.wait(1 / FPS):
                return


@pytest.fixture
def camera(broker: Broker) -> Iterator[Camera]:
    camera = Camera(broker)
    yield camera
    camera.close()


def decoded(jpeg: bytes) -> VideoFrame:
    with av.open(io.BytesIO(jpeg), format="image2pipe") as file:
        assert isinstance(file, av.container.InputContainer)
        return next(file.decode(video=0))


def test_makes_jpegs_while_a_lease_lasts(start: Start, camera: Camera) -> None:
    service = start("stills")
    wait_until(lambda: "connected" in service.log(), "stills is connected")
    assert not camera.jpegs
    camera.hold(fps=10, seconds=2, count=3)
    frame = decoded(camera.jpegs[-1])
    assert (frame.width, frame.height) == (320, 240)

    def quiet() -> bool:
        before = len(camera.jpegs)
        time.sleep(0.5)
        return len(camera.jpegs) == before

    wait_until(quiet, "the JPEGs end with the lease")


def test_a_low_rate_takes_key_frames_only(start: Start, camera: Camera) -> None:
    service = start("stills", BEEPER_STILLS__KEY_ONLY_FPS="3")
    wait_until(lambda: "connected" in service.log(), "stills is connected")
    camera.hold(fps=3, seconds=20, count=4)
    assert service.terminate() == 0


def test_rubbish_costs_nothing_but_itself(start: Start, camera: Camera) -> None:
    service = start("stills")
    wait_until(lambda: "connected" in service.log(), "stills is connected")
    camera.publish("beeper/camera/csi/jpeg/lease", b"{")
    camera.publish("beeper/camera/csi/jpeg/lease", json.dumps({"fps": 1e9}).encode())
    camera.hold(fps=30, seconds=60, count=1)
    camera.publish("media/csi/video/fragment/a", b"not a fragment")
    camera.publish("media/csi/video/init", b"not a header")
    camera.publish("media/csi/video/fragment/a", b"")
    before = len(camera.jpegs)
    wait_until(lambda: len(camera.jpegs) > before + 3, "JPEGs go on")
    assert service.process.poll() is None


def test_the_most_demanding_holder_wins_and_leases_run_out() -> None:
    leases = Leases()
    leases.renew(JpegLease(holder="a", fps=2, seconds=10), now=0)
    leases.renew(JpegLease(holder="b", fps=15, seconds=5), now=0)
    assert [leases.fps(now) for now in (1, 6, 11)] == [15, 2, 0]
    leases.renew(JpegLease(holder="a", fps=float(Fraction(1, 2)), seconds=1), now=12)
    assert leases.fps(12.5) == 0.5
