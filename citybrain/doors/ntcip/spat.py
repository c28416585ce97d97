# SPDX-License-Identifier: Apache-2.0
"""Signal phase and timing as controllers broadcast it by UDP ten times a second (the "ntcip_1202_ext" block)."""

import struct
from datetime import UTC, datetime, timedelta

import msgspec

from citybrain.doors.ntcip.codec import UnreadableFrame

HEADER = 0xCD
PHASES = 16
SIZE = 245
CLOCK_MAY_DIFFER = timedelta(seconds=10)
"""A broadcast is a tenth of a second old; a clock that differs by more is not set."""

_LAYOUT = struct.Struct(">BB" + "BHHHHHH" * PHASES + "11H4B3sHHH")
_PER_PHASE = 7
assert _LAYOUT.size == SIZE


class PhaseTimes(msgspec.Struct, frozen=True, kw_only=True):
    """When a phase, its pedestrians and its overlap change at the earliest and at the latest, in 0.1 s from now."""

    phase: int
    vehicle_min: int = 0
    vehicle_max: int = 0
    pedestrian_min: int = 0
    pedestrian_max: int = 0
    overlap_min: int = 0
    overlap_max: int = 0


class Spat(msgspec.Struct, frozen=True, kw_only=True):
    """One broadcast. Masks have bit 0 for phase (or overlap) 1; `second` counts from midnight UTC."""

    times: tuple[PhaseTimes, ...]
    count: int = PHASES
    reds: int = 0
    yellows: int = 0
    greens: int = 0
    dont_walks: int = 0
    ped_clears: int = 0
    walks: int = 0
    overlap_reds: int = 0
    overlap_yellows: int = 0
    overlap_greens: int = 0
    flashing: int = 0
    flashing_overlaps: int = 0
    status: int = 0
    action: int = 0
    discontinuity: int = 0
    sequence: int = 0
    second: int = 0
    millisecond: int = 0
    pedestrian_calls: int = 0
    pedestrian_detections: int = 0


_MASKS = (
    *("reds", "yellows", "greens", "dont_walks", "ped_clears", "walks"),
    *("overlap_reds", "overlap_yellows", "overlap_greens", "flashing", "flashing_overlaps"),
    *("status", "action", "discontinuity", "sequence"),
)


def encode(spat: Spat) -> bytes:
    """The 245 octets of one broadcast."""
    times = [number for each in spat.times for number in msgspec.structs.astuple(each)]
    masks = [getattr(spat, name) for name in _MASKS]
    second = spat.second.to_bytes(3, "big")
    last = (second, spat.millisecond, spat.pedestrian_calls, spat.pedestrian_detections)
    return _LAYOUT.pack(HEADER, spat.count, *times, *masks, *last)


def decode(frame: bytes) -> Spat:
    """What a broadcast says. Refuses another length or header."""
    if len(frame) != SIZE or frame[0] != HEADER:
        raise UnreadableFrame("ntcip.frame_unreadable", {"where": "spat"})
    _, count, *rest = _LAYOUT.unpack(frame)
    begin = _PER_PHASE * PHASES
    rows = [rest[at : at + _PER_PHASE] for at in range(0, begin, _PER_PHASE)]
    names = PhaseTimes.__struct_fields__
    second, millisecond, calls, detections = rest[-4:]
    return Spat(
        times=tuple(PhaseTimes(**dict(zip(names, row, strict=True))) for row in rows),
        count=count,
        **dict(zip(_MASKS, rest[begin:-4], strict=True)),
        second=int.from_bytes(second, "big"),
        millisecond=millisecond,
        pedestrian_calls=calls,
        pedestrian_detections=detections,
    )


def said_at(spat: Spat, now: datetime) -> datetime:
    """When the controller sent it: the time of its day that is nearest to `now`; `now` when its clock is wrong."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    said = midnight + timedelta(seconds=spat.second, milliseconds=spat.millisecond)
    nearest = min((said + timedelta(days=days) for days in (-1, 0, 1)), key=lambda at: abs(at - now))
    return nearest if abs(nearest - now) <= CLOCK_MAY_DIFFER else now
