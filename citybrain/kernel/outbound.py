# SPDX-License-Identifier: Apache-2.0
"""Where the city may send requests that others ask for: not into the network it stands in, unless its operator says so.

Whoever makes a subscription, a context source or a context names an address, and the city goes there from the inside
(OWASP ASVS 5.0 1.3.6, server-side request forgery). So the address of each connection is looked at when it is made,
after the name was resolved: a name that means something else the next time gains nothing.
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

import msgspec

from citybrain.kernel.errors import Invalid
from citybrain.kernel.settings import Settings

PUBLIC, LOOPBACK, PRIVATE, ANY = "public", "loopback", "private", "any"
WORDS = (PUBLIC, LOOPBACK, PRIVATE, ANY)
# RFC 6052: the last four bytes are an address of the old kind, which a gateway nearby goes to.
NAT64 = IPv6Network("64:ff9b::/96")
Address = IPv4Address | IPv6Address


class Outbound(msgspec.Struct, frozen=True, kw_only=True):
    """What may be reached: what is public, this machine, private networks, named networks, or anything."""

    words: frozenset[str] = frozenset()
    networks: tuple[str, ...] = ()

    def allows(self, address: str) -> bool:
        """Whether a connection may go to an address, as the resolver wrote it. What is no address is not allowed."""
        try:
            found = _plain(ip_address(address.partition("%")[0]))
        except ValueError:
            return False
        if ANY in self.words or any(found in ip_network(each) for each in self.networks):
            return True
        if found.is_loopback:
            return LOOPBACK in self.words
        # Cloud machines learn their secrets at a link-local address, so no word but `any` opens those.
        if found.is_link_local or found.is_multicast or found.is_unspecified:
            return False
        return (PUBLIC if found.is_global else PRIVATE) in self.words


EVERYWHERE = Outbound(words=frozenset({ANY}))
"""For addresses that the operator names: nobody else has a say in them."""


def outbound_of(settings: Settings) -> Outbound:
    """What a city may reach: exactly what is set, else what is public.

    A city that is there for its own machine alone may reach that machine too. Refuses a word or network that is none.
    """
    if settings.outbound is None:
        return Outbound(words=frozenset({PUBLIC, LOOPBACK} if _is_this_machine(settings.host) else {PUBLIC}))
    given = [each.strip() for each in settings.outbound.split(",") if each.strip()]
    networks = [each for each in given if each not in WORDS]
    for each in networks:
        try:
            ip_network(each)
        except ValueError as problem:
            facts = {"name": "CITYBRAIN_OUTBOUND", "value": each}
            raise Invalid("kernel.setting_unusable", facts) from problem
    return Outbound(words=frozenset(given) & frozenset(WORDS), networks=tuple(networks))


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _plain(address: Address) -> Address:
    """The address that is really reached: some of the new kind stand for one of the old."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1] or address
