"""The firmware's throttle bits, from a stand-in vcgencmd and from the kernel's file."""

import asyncio
from pathlib import Path

import pytest
from sensors.settings import Cpu
from sensors.source import Fault
from sensors.throttle import BITS, SYSFS, decode, read

NOW = ("under_voltage", "frequency_capped", "throttled_now", "soft_temp_limit")


@pytest.mark.parametrize(
    ("mask", "said"),
    [
        (0x0, set()),
        (0x1, {"under_voltage"}),
        (0x2, {"frequency_capped"}),
        (0x4, {"throttled_now"}),
        (0x8, {"soft_temp_limit"}),
        (0x10000, {"under_voltage_occurred"}),
        (0x20000, {"frequency_capped_occurred"}),
        (0x40000, {"throttled_occurred"}),
        (0x80000, {"soft_temp_limit_occurred"}),
        (0x80008, {"soft_temp_limit", "soft_temp_limit_occurred"}),
        (0x50005, {"under_voltage", "throttled_now", "under_voltage_occurred"}
         | {"throttled_occurred"}),
        (0xE0000, {f"{name}_occurred" for name in ("frequency_capped", "throttled")}
         | {"soft_temp_limit_occurred"}),
        (0xF000F, set(BITS)),
    ],
)  # fmt: skip
def test_bits_are_what_the_firmware_means(mask: int, said: set[str]) -> None:
    assert {name for name, on in decode(mask).items() if on} == said


def program(folder: Path, body: str) -> Cpu:
    """A stand-in that, like the real one, knows `get_throttled` only without an argument more."""
    path = folder / "vcgencmd"
    refuse = '[ "$*" = get_throttled ] || { echo "error=1 wrong command"; exit 1; }'
    path.write_text(f"#!/bin/sh\n{refuse}\n{body}\n")
    path.chmod(0o755)
    return Cpu(sys=folder / "sys", timeout=0.5)


@pytest.fixture(autouse=True)
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


def kernel(folder: Path, content: str) -> None:
    path = folder / "sys" / SYSFS
    path.parent.mkdir(parents=True)
    path.write_text(content)


async def test_vcgencmd_is_asked(tmp_path: Path) -> None:
    assert await read(program(tmp_path, "echo throttled=0x80008")) == 0x80008


async def test_the_kernels_file_is_hexadecimal_too(tmp_path: Path) -> None:
    kernel(tmp_path, "80008\n")
    assert await read(Cpu(sys=tmp_path / "sys")) == 0x80008


async def test_a_pc_has_no_such_bits(tmp_path: Path) -> None:
    assert await read(Cpu(sys=tmp_path / "sys")) is None


async def test_the_kernels_file_stands_in_for_a_vcgencmd_that_fails(tmp_path: Path) -> None:
    kernel(tmp_path, "50000\n")
    assert await read(program(tmp_path, "exit 1")) == 0x50000


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ('echo "Can\'t open device file: /dev/vcio"; exit 255', "group video"),
        ("echo VCHI initialization failed", "VCHI"),
        ("echo throttled=", "throttled="),
        ("kill -9 $$", "says ''"),
    ],
)
async def test_a_vcgencmd_that_fails_is_said(tmp_path: Path, body: str, hint: str) -> None:
    with pytest.raises(Fault, match=hint):
        await read(program(tmp_path, body))


async def test_a_program_that_cannot_be_run_is_said(tmp_path: Path) -> None:
    cpu = program(tmp_path, "")
    (tmp_path / "vcgencmd").write_text("#!/no/such/shell\n")
    with pytest.raises(Fault, match="cannot be run"):
        await read(cpu)


async def test_a_vcgencmd_that_hangs_is_killed(tmp_path: Path) -> None:
    cpu = program(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 10000")
    with pytest.raises(Fault, match=r"does not answer within 0\.5 s"):
        await read(cpu)
    pid = int((tmp_path / "pid").read_text())
    await asyncio.sleep(0)
    assert not Path(f"/proc/{pid}").exists()
