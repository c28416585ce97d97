# SPDX-License-Identifier: Apache-2.0
"""The outputs of an emulated controller: channels of phases, walkers and overlaps, and what each shows. Pure."""

from collections.abc import Iterator

from citybrain.doors.ntcip import objects
from citybrain.doors.ntcip.cabinet import Cabinet
from citybrain.doors.ntcip.ring import Interval, Walkers
from citybrain.doors.ntcip.unit import Unit

Source = tuple[int, int]
"""The number of a phase or overlap, and which of them: `objects.CHANNEL_…`."""


def sources(cabinet: Cabinet) -> list[Source]:
    """Channels 1, 2 …: one per phase, one for the walkers of each phase that has some, one per overlap."""
    return [
        *((number, objects.CHANNEL_VEHICLE) for number in sorted(phase.number for phase in cabinet.phases)),
        *((phase.number, objects.CHANNEL_PEDESTRIAN) for phase in cabinet.phases if phase.walk_s),
        *((number, objects.CHANNEL_OVERLAP) for number in range(1, len(cabinet.overlaps) + 1)),
    ]


def shown(unit: Unit) -> dict[int, str]:
    """What each channel shows: G, Y, R, or F when the unit flashes.

    Walkers' channels show walk as green and clearance as yellow, as load switches are usually wired; they are dark,
    here red, when the unit flashes.
    """
    return {channel: _lamp(unit, source) for channel, source in enumerate(sources(unit.cabinet), start=1)}


def overlaps(unit: Unit) -> Iterator[str]:
    """What each overlap shows, from the first."""
    for included in unit.cabinet.overlaps:
        yield _overlap(unit, frozenset(included))


def _lamp(unit: Unit, source: Source) -> str:
    number, type = source
    if type == objects.CHANNEL_OVERLAP:
        return _overlap(unit, frozenset(unit.cabinet.overlaps[number - 1]))
    if type == objects.CHANNEL_VEHICLE:
        return unit.lamps()[number]
    if number in unit.walkers(Walkers.WALK):
        return "G"
    return "Y" if number in unit.walkers(Walkers.CLEAR) else "R"


def _overlap(unit: Unit, included: frozenset[int]) -> str:
    """Green with an included phase, and on the way from one to another (NTCIP 1202 v02, 2.10.2.2: normal)."""
    if unit.flash != objects.FLASH_NOT:
        return "F"
    ending = [ring for ring in unit.rings if ring.active in included]
    if any(ring.green is not None or ring.next in included for ring in ending):
        return "G"
    return "Y" if any(ring.interval is Interval.YELLOW for ring in ending) else "R"
