# SPDX-License-Identifier: Apache-2.0
"""Which phases make a channel green, and what the channels show (NTCIP 1202 v02, 2.9 and 2.10)."""

from collections.abc import Collection, Iterable, Mapping

from citybrain.doors.ntcip import objects
from citybrain.doors.ntcip.codec import Value
from citybrain.doors.ntcip.link import Link
from citybrain.kernel.errors import Conflict


class UnusableChannel(Conflict):
    """A channel of the mapping that the controller does not have, or that no phase makes green."""


async def phases_of(link: Link, channels: Collection[int]) -> Mapping[int, frozenset[int]]:
    """The vehicle phases under which each of these channels is green: its own, or those of its overlap.

    Refuses a channel that is not there, or is for walkers.
    """
    order = sorted(channels)
    columns = (objects.CHANNEL_SOURCE, objects.CHANNEL_TYPE)
    values = await link.get([(*oid, channel) for oid in columns for channel in order])
    found: dict[int, frozenset[int]] = {}
    for channel, source, type in zip(order, values, values[len(order) :], strict=False):
        if type == objects.CHANNEL_VEHICLE and isinstance(source, int) and source:
            found[channel] = frozenset({source})
        elif type == objects.CHANNEL_OVERLAP and isinstance(source, int) and source:
            found[channel] = _octets((await link.get([(*objects.OVERLAP_INCLUDED, source)]))[0])
        if not found.get(channel):
            raise UnusableChannel("ntcip.channel_unusable", {"channel": channel})
    return found


async def colours(link: Link, channels: Iterable[int]) -> Mapping[int, str]:
    """What each of these channels shows: G, y or r."""
    order = sorted(channels)
    groups = objects.groups(max(order, default=1))
    oids = (objects.CHANNEL_GREENS, objects.CHANNEL_YELLOWS)
    values = [
        value if isinstance(value, int) else 0 for value in await link.get([(*o, g) for o in oids for g in groups])
    ]
    green, yellow = objects.numbers(values[: len(groups)]), objects.numbers(values[len(groups) :])
    return {channel: "G" if channel in green else "y" if channel in yellow else "r" for channel in order}


def _octets(value: Value) -> frozenset[int]:
    return frozenset(value) - {0} if isinstance(value, bytes) else frozenset()
