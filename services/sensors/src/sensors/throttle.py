"""The Raspberry Pi firmware's throttle bits, from vcgencmd or from the kernel.

Bits as the Raspberry Pi documentation gives them for `vcgencmd get_throttled`.
"""

import asyncio
import shutil
from asyncio.subprocess import DEVNULL, PIPE, STDOUT

from . import child
from .settings import Cpu
from .source import Fault

BITS = {
    "under_voltage": 0,
    "frequency_capped": 1,
    "throttled_now": 2,
    "soft_temp_limit": 3,
    "under_voltage_occurred": 16,
    "frequency_capped_occurred": 17,
    "throttled_occurred": 18,
    "soft_temp_limit_occurred": 19,
}

SYSFS = "devices/platform/soc/soc:firmware/get_throttled"
"""The kernel's copy; second choice, since reading it puts a deprecation warning in the log."""


def decode(bits: int) -> dict[str, bool]:
    """The bit mask by name; 0x80008 is the soft temperature limit, now and since boot."""
    return {name: bool(bits >> bit & 1) for name, bit in BITS.items()}


async def read(cpu: Cpu) -> int | None:
    """The bit mask; None off a Raspberry Pi. Raises Fault when vcgencmd is there and fails."""
    program = shutil.which(cpu.vcgencmd)
    if program is None:
        return await asyncio.to_thread(from_sysfs, cpu)
    try:
        return await ask(program, cpu.timeout)
    except Fault:
        bits = await asyncio.to_thread(from_sysfs, cpu)
        if bits is None:
            raise
        return bits


def from_sysfs(cpu: Cpu) -> int | None:
    """The mask in hexadecimal, without 0x, as the kernel driver writes it."""
    try:
        return int((cpu.sys / SYSFS).read_text(encoding="ascii"), 16)
    except (OSError, ValueError):
        return None


async def ask(program: str, timeout: float) -> int:  # noqa: ASYNC109 (it bounds a child's life)
    """Run `vcgencmd get_throttled`; an argument more would clear the bits since boot."""
    try:
        process = await asyncio.create_subprocess_exec(
            program, "get_throttled", stdin=DEVNULL, stdout=PIPE, stderr=STDOUT
        )
    except OSError as error:
        raise Fault(f"{program} cannot be run: {error.strerror}") from None
    try:
        async with asyncio.timeout(timeout):
            said, _ = await process.communicate()
    except TimeoutError:
        raise Fault(f"{program} does not answer within {timeout:g} s") from None
    finally:
        await child.end(process)
    return understand(program, said.decode(errors="replace").strip())


def understand(program: str, said: str) -> int:
    """`throttled=0x50005` → its number; anything else is a Fault."""
    name, _, value = said.partition("=")
    try:
        if name == "throttled":
            return int(value, 16)
    except ValueError:
        pass
    hint = "add this user to the group video" if "/dev/vc" in said else "try it by hand"
    raise Fault(f"{program} get_throttled says {said[:80]!r}: {hint}")
