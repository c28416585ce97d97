# SPDX-License-Identifier: Apache-2.0
"""Where the city goes when somebody else names the address: not into the network it stands in, unless told so."""

import socket
from pathlib import Path

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.errors import Invalid
from citybrain.kernel.http import Call, Http, NoAnswer, OutboundRefused, _InForce, reachable
from citybrain.kernel.outbound import EVERYWHERE, PUBLIC, Outbound, outbound_of
from citybrain.kernel.settings import Settings
from tests.peer import GOOD, peer

NOTHING = Outbound(words=frozenset({PUBLIC}))


def city(host: str = "127.0.0.1", outbound: str | None = None) -> Outbound:
    return outbound_of(Settings(data=Path("/x"), host=host, outbound=outbound))


# fmt: off
ADDRESSES = [
    # address                 public  loopback private any    why
    ("93.184.216.34",         True,   True,    True,   True,  "public"),
    ("2606:2800:220:1::1",    True,   True,    True,   True,  "public, the new kind"),
    ("127.0.0.1",             False,  True,    False,  True,  "this machine"),
    ("127.8.9.1",             False,  True,    False,  True,  "this machine too"),
    ("::1",                   False,  True,    False,  True,  "this machine, the new kind"),
    ("::ffff:127.0.0.1",      False,  True,    False,  True,  "this machine in disguise"),
    ("64:ff9b::7f00:1",       False,  True,    False,  True,  "this machine behind a translator"),
    ("2002:7f00:1::",         False,  True,    False,  True,  "this machine in a tunnel"),
    ("10.0.0.7",              False,  False,   True,   True,  "private"),
    ("172.16.0.1",            False,  False,   True,   True,  "private"),
    ("192.168.1.1",           False,  False,   True,   True,  "private"),
    ("::ffff:10.0.0.7",       False,  False,   True,   True,  "private in disguise"),
    ("64:ff9b::a00:7",        False,  False,   True,   True,  "private behind a translator"),
    ("100.64.0.1",            False,  False,   True,   True,  "a carrier's own"),
    ("fd00::1",               False,  False,   True,   True,  "private, the new kind"),
    ("169.254.169.254",       False,  False,   False,  True,  "where cloud machines learn their secrets"),
    ("fe80::1%eth0",          False,  False,   False,  True,  "link-local"),
    ("0.0.0.0",               False,  False,   False,  True,  "this machine on many systems"),
    ("::",                    False,  False,   False,  True,  "the same"),
    ("224.0.0.1",             False,  False,   False,  True,  "to many at once"),
    ("example.org",           False,  False,   False,  False, "no address"),
    ("",                      False,  False,   False,  False, "nothing"),
]
# fmt: on


@pytest.mark.parametrize(("address", "nothing", "loopback", "private", "anything", "why"), ADDRESSES)
def test_what_may_be_reached(
    address: str, nothing: bool, loopback: bool, private: bool, anything: bool, why: str
) -> None:
    assert NOTHING.allows(address) is nothing, why
    assert city(outbound="public,loopback").allows(address) is loopback, why
    assert city(outbound="public, private").allows(address) is private, why
    assert EVERYWHERE.allows(address) is anything, why


def test_a_network_that_the_operator_names_opens_itself_alone() -> None:
    named = city(outbound="10.1.0.0/16, fd12::/16")
    assert named.allows("10.1.2.3") and named.allows("fd12::1") and named.allows("::ffff:10.1.2.3")
    assert not (
        named.allows("93.184.216.34")
        or named.allows("10.2.0.1")
        or named.allows("127.0.0.1")
        or named.allows("fd13::1")
    )
    for wrong in ("10.1.0.0/33", "example.org", "everything"):
        with pytest.raises(Invalid):
            city(outbound=wrong)


def test_a_city_for_its_own_machine_reaches_that_machine_and_one_for_others_does_not() -> None:
    for host in ("127.0.0.1", "::1", "localhost"):
        assert city(host).allows("127.0.0.1"), host
        assert not city(host).allows("10.0.0.7")
    for host in ("0.0.0.0", "10.0.0.7", "city.example"):
        assert not city(host).allows("127.0.0.1"), host
    assert not city(outbound="public").allows("127.0.0.1")


@given(st.ip_addresses())
def test_nothing_but_public_addresses_without_a_word(address: object) -> None:
    if NOTHING.allows(str(address)):
        assert getattr(address, "is_global", False) and not getattr(address, "is_multicast", True)


async def test_a_connection_is_refused_by_its_address_not_by_its_name() -> None:
    http = Http(outbound=NOTHING)
    async with peer([GOOD]) as there:
        port = int(there.url.rsplit(":", 1)[1].rstrip("/"))
        for host in ("127.0.0.1", "localhost", "127.1", "2130706433", "[::ffff:127.0.0.1]"):
            with pytest.raises(NoAnswer):
                await http.send(Call(url=f"http://{host}:{port}/"))
        assert there.connections == 0
    await http.close()


async def test_a_name_that_means_another_address_the_second_time_gains_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def rebound(_self: object, host: str, port: int = 0, family: int = 0) -> list[dict[str, object]]:
        where = {"hostname": host, "host": "127.0.0.1", "port": port, "family": socket.AF_INET}
        return [{**where, "proto": 0, "flags": socket.AI_NUMERICHOST}]

    refused = Http(outbound=NOTHING)
    monkeypatch.setattr(aiohttp.ThreadedResolver, "resolve", rebound)
    monkeypatch.setattr(aiohttp.DefaultResolver, "resolve", rebound)
    async with peer([GOOD]) as there:
        port = there.url.rsplit(":", 1)[1]
        with pytest.raises(NoAnswer, match="may not be reached"):
            await refused.send(Call(url=f"http://rebound.example:{port}"))
        assert there.connections == 0
        await refused.close()
        allowed = Http(outbound=EVERYWHERE)
        assert (await allowed.send(Call(url=f"http://rebound.example:{port}"))).status == 200
        await allowed.close()


async def test_other_protocols_ask_before_they_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_InForce, "outbound", NOTHING)
    with pytest.raises(OutboundRefused):
        await reachable("localhost", 1883)
    monkeypatch.setattr(_InForce, "outbound", EVERYWHERE)
    assert await reachable("localhost", 1883) in ("127.0.0.1", "::1")


async def test_a_redirect_leads_no_further_than_an_address_that_is_named() -> None:
    async with peer([GOOD]) as inside:
        port = inside.url.rsplit(":", 1)[1].rstrip("/")
        moved = f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.2:{port}/\r\nContent-Length: 0\r\n\r\n".encode()
        async with peer([moved]) as outside:
            http = Http(outbound=Outbound(networks=("127.0.0.1/32",)))
            with pytest.raises(NoAnswer, match="may not be reached"):
                await http.send(Call(url=outside.url, redirects=3))
            await http.close()
        assert inside.connections == 0
