# SPDX-License-Identifier: Apache-2.0
"""Outputs of an emulated controller: an overlap stays green between phases that it includes, and clears after them."""

from collections.abc import Iterator

import msgspec
import pytest

from citybrain.doors.ntcip import outputs
from citybrain.doors.ntcip.cabinet import Cabinet, Phase, UnusableCabinet, dual_ring, load
from citybrain.doors.ntcip.unit import Unit

CABINET = Cabinet(
    phases=tuple(Phase(number=n, recall="max", max_green_s=8, dual_entry=False) for n in (1, 2, 3)),
    rings=((1, 2, 3),),
    startup=(1,),
    overlaps=((1, 2), (3,)),
)
OVERLAP_12, OVERLAP_3 = 4, 5
"""Channels: one per phase, then the overlaps."""


def lived(seconds: int) -> Iterator[dict[int, str]]:
    unit = Unit(CABINET)
    for _ in range(seconds * 10):
        unit.tick()
        yield outputs.shown(unit)


def test_an_overlap_is_green_with_its_phases_and_on_the_way_from_one_to_the_next() -> None:
    shown = list(lived(60))
    for lamps in shown:
        if "G" in (lamps[1], lamps[2]):
            assert lamps[OVERLAP_12] == "G"
    between = [lamps for lamps in shown if lamps[1] == "Y"]
    assert between and all(lamps[OVERLAP_12] == "G" for lamps in between), "phase 2 follows"
    after = [lamps for lamps in shown if lamps[2] == "Y"]
    assert after and all(lamps[OVERLAP_12] == "Y" for lamps in after), "phase 3 follows"


def test_an_overlap_never_goes_from_green_to_red_without_its_yellow_and_never_meets_what_it_excludes() -> None:
    before = dict.fromkeys(range(1, 6), "R")
    for lamps in lived(120):
        assert not (lamps[OVERLAP_12] in "GY" and lamps[OVERLAP_3] in "GY")
        for channel, lamp in lamps.items():
            assert (before[channel], lamp) != ("G", "R")
        before = lamps


def test_an_overlap_of_no_phase_or_across_rings_is_refused() -> None:
    for wrong in (
        msgspec.structs.replace(CABINET, overlaps=((1, 9),)),
        msgspec.structs.replace(dual_ring(), overlaps=((1, 2),)),
    ):
        with pytest.raises(UnusableCabinet):
            load(msgspec.json.encode(wrong))
