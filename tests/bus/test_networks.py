"""Which networks this machine is in: real interfaces, in a namespace of their own."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import IPv6Network, ip_network
from typing import Any, NamedTuple

import pytest
from bus import networks

LOOK = """
import json, sys
from bus import networks
networks.REMEMBERED = 0.0
for _ in sys.stdin:
    print(json.dumps([str(network) for network in networks.on_link()]), flush=True)
"""
ALWAYS = {"127.0.0.0/8", "::1/128", "fe80::/10"}


def ip(*words: str) -> None:
    subprocess.run(("ip", *words), check=True, capture_output=True)


class Machine:
    """A network namespace, and a process there that says what it sees."""

    def __init__(self, name: str) -> None:
        self.name = name
        ip("netns", "add", name)
        self._process = subprocess.Popen(
            ["ip", "netns", "exec", name, sys.executable, "-c", LOOK],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def sees(self) -> set[str]:
        """Its networks at this moment, without those that there always are."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return set(json.loads(self._process.stdout.readline())) - ALWAYS

    def ip(self, *words: str) -> None:
        ip("-n", self.name, *words)

    def card(self, name: str, *addresses: str) -> None:
        """An interface that is up, with a cable to somebody."""
        self.ip("link", "add", name, "type", "veth", "peer", "name", f"{name}-peer")
        self.ip("link", "set", f"{name}-peer", "up")
        self.up(name, *addresses)

    def up(self, name: str, *addresses: str) -> None:
        for address in addresses:
            self.ip("addr", "add", address, "dev", name, *(["nodad"] if ":" in address else []))
        self.ip("link", "set", name, "up")

    def close(self) -> None:
        with self._process as process:
            if process.stdin:
                process.stdin.close()
        ip("netns", "delete", self.name)


@pytest.fixture
def machine() -> Iterator[Machine]:
    if os.geteuid():
        pytest.skip("only root makes namespaces")
    machine = Machine(f"beeper-near-{os.getpid()}")
    yield machine
    machine.close()


def test_a_network_that_appears_later_counts_and_one_that_goes_does_not(machine: Machine) -> None:
    assert machine.sees() == set()
    machine.card("wlan0", "192.168.7.5/24", "2001:db8:7::5/64", "fd12::5/64")
    assert machine.sees() == {"192.168.7.0/24", "2001:db8:7::/64", "fd12::/64"}
    machine.ip("link", "set", "wlan0", "down")
    assert machine.sees() == set()


def test_a_prefix_that_the_router_announced_counts_without_an_address_of_it(
    machine: Machine,
) -> None:
    """DHCPv6 gives single addresses; that their network is on link says only the route."""
    machine.card("eth0", "2001:db8:8::77/128")
    machine.ip("-6", "route", "add", "2001:db8:8::/64", "dev", "eth0", "proto", "ra")
    machine.ip("-6", "route", "add", "2001:db8::/32", "dev", "eth0", "proto", "static")
    machine.ip("-6", "route", "add", "2001:db8:9::/64", "via", "2001:db8:8::1", "dev", "eth0")
    assert machine.sees() == {"2001:db8:8::/64", "2001:db8:8::77/128"}


def test_containers_tunnels_and_a_provider_are_nobodys_home(machine: Machine) -> None:
    machine.ip("link", "add", "docker0", "type", "bridge")
    machine.card("veth1")
    machine.ip("link", "set", "veth1", "master", "docker0")
    machine.up("docker0", "172.17.0.1/16")
    machine.ip("tuntap", "add", "wg0", "mode", "tun")
    machine.up("wg0", "10.8.0.2/24")
    machine.card("wwan0", "100.64.3.4/10")
    machine.card("rented", "8.8.4.5/24", "2a00:1450::5/64")
    assert machine.sees() == set()


def test_the_machine_itself_is_always_beside_itself() -> None:
    found = networks.on_link()
    assert {str(network) for network in found} >= ALWAYS


class Address(NamedTuple):
    """As psutil has it."""

    family: int
    address: str
    netmask: str | None


@pytest.mark.parametrize(
    ("addresses", "wanted"),
    [
        ([("10.1.2.3", "255.0.0.0")], ["10.0.0.0/8"]),
        ([("169.254.9.9", "255.255.0.0")], ["169.254.0.0/16"]),
        ([("192.168.1.5", None)], ["192.168.1.5/32"]),
        ([("192.168.1.5", "255.255.255.0"), ("93.184.216.34", "255.255.255.0")], []),
        ([("2a00::1", "ffff:ffff::")], []),
        ([("fe80::1%eth0", "ffff:ffff:ffff:ffff::")], []),
    ],
)
def test_what_an_interface_says(addresses: list[tuple[str, str | None]], wanted: list[str]) -> None:
    families = {True: socket.AF_INET6, False: socket.AF_INET}
    found: list[Any] = [Address(families[":" in one], one, mask) for one, mask in addresses]
    link = networks.link_of("eth0", found, ())
    assert [str(one) for one in (link.networks if link else ())] == wanted


def test_routes_that_lead_elsewhere_are_no_prefix_on_link() -> None:
    line = "{:032x} {:02x} {} 00 {:032x} 00000100 1 0 {:08x} {:>8}\n"
    lan = int(ip_network("2001:db8:1::/64").network_address)
    rows = [
        (lan, 64, "0" * 32, 0, 0x1, "eth0"),
        (lan + (1 << 64), 64, "0" * 32, lan + 1, 0x3, "eth0"),
        (lan + (2 << 64), 64, "0" * 32, 0, 0x200, "lo"),
        (lan + 5, 128, "0" * 32, 0, 0x80200001, "eth0"),
        (0xFE80 << 112, 64, "0" * 32, 0, 0x1, "eth0"),
    ]
    text = "".join(line.format(*row) for row in rows)
    assert networks.prefixes(text) == {"eth0": (IPv6Network("2001:db8:1::/64"),)}
