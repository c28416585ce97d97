# SPDX-License-Identifier: Apache-2.0
"""Values of a foreign controller are read as what it is set to, and all are written as they were read."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.doors.gbt20999 import objects
from citybrain.doors.gbt20999.codec import Address, Dialect, FrameType, Unwritable, datagram
from citybrain.doors.gbt20999.facts import Data, Reader, Step
from citybrain.doors.gbt20999.objects import ATTRIBUTES, UnreadableValue, Value
from citybrain.doors.gbt20999.values import Lamp, mode_of
from citybrain.kernel.controllers.outstation import Mode

RECORDED = [bytes.fromhex(line) for line in json.loads(Path(__file__).with_name("recorded.json").read_text())["frames"]]
USUAL = Dialect()


def told() -> Data:
    frames = [datagram(each) for each in RECORDED]
    return {item.address: item.data for frame in frames if frame.type is FrameType.QUERY_REPLY for item in frame.items}


def test_every_value_that_the_foreign_controller_told_is_known_and_readable() -> None:
    for address, data in told().items():
        if data:
            objects.read(address, data, USUAL)


def test_the_foreign_controller_is_read_as_it_is_set() -> None:
    reader = Reader(told(), Dialect(intergreen_unit_s=1.0))
    phase = reader.phase(1)
    assert reader.device().maker == "东土正创"
    assert reader.device().configured_at == "2021-08-24T02:02:02"
    assert phase.lamp_groups == {1}
    assert phase.lose == ((Lamp.GREEN_FLASH, 3), (Lamp.YELLOW, 3))
    assert (phase.min_green_s, phase.max_green_s, phase.max_green_2_s, phase.extension_s) == (10, 20, 30, 5)
    assert (phase.yellow_s, phase.green_end_s, phase.lose_s) == (3, 3, 6)
    assert reader.stage(1).phases == {1, 2, 3, 4}
    assert reader.conflicts(1) == {5, 6, 7, 8, 10, 13, 14, 15, 16}
    assert reader.intergreen_s(1) == dict.fromkeys((5, 6, 7, 8, 10, 13, 14, 15, 16), 3.0)
    plan = reader.plan(1)
    assert plan.steps == (Step(1, 29), Step(2, 31), Step(3, 29), Step(4, 31))
    assert plan.cycle_s == sum(step.seconds for step in plan.steps)
    run = reader.run(1)
    assert (mode_of(run.mode), run.plan, run.stage) == (Mode.LOCAL, 1, 3)
    assert reader.fault(1).at == "2021-09-02T18:18:33"


VALUES: dict[str, st.SearchStrategy[Value]] = {
    "number": st.integers(0, 255),
    "text": st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=16),
    "time": st.datetimes().map(lambda at: at.strftime("%Y").rjust(4, "0") + at.strftime("-%m-%dT%H:%M:%S")),
    "set": st.frozensets(st.integers(1, 64)),
    "row": st.lists(st.integers(0, 255), min_size=16, max_size=16).map(tuple),
    "raw": st.binary(min_size=4, max_size=4),
}


@given(st.data(), st.sampled_from(sorted(ATTRIBUTES)), st.sampled_from(["first_last", "first_first"]))
def test_what_is_written_is_read_as_the_same(data: st.DataObject, place: tuple[int, int, int], arrays: str) -> None:
    attribute, dialect = ATTRIBUTES[place], Dialect(arrays=arrays)  # type: ignore[arg-type]
    value = data.draw(VALUES[attribute.form])
    wire = objects.write(Address(*place), value, dialect)
    assert len(wire) == attribute.size
    back = objects.read(Address(*place), wire, dialect)
    if isinstance(value, tuple) and isinstance(back, tuple):
        assert back[: len(value)] == value
        assert not any(back[len(value) :])
    elif isinstance(value, bytes) and isinstance(back, bytes):
        assert back.endswith(value)
    else:
        assert back == value


@given(
    st.builds(Address, *[st.integers(0, 255)] * 4) | st.sampled_from(sorted(ATTRIBUTES)).map(lambda p: Address(*p)),
    st.binary(max_size=251),
)
def test_any_bytes_at_any_address_are_a_value_or_refused(address: Address, data: bytes) -> None:
    try:
        objects.read(address, data, USUAL)
    except UnreadableValue as refusal:
        assert refusal.facts["data"] == data.hex()


@given(st.dictionaries(st.sampled_from(sorted(ATTRIBUTES)).map(lambda p: Address(*p[:3], 1)), st.binary(max_size=20)))
def test_records_are_made_of_whatever_was_told(data: Data) -> None:
    reader = Reader(data, USUAL)
    reader.phase(1), reader.stage(1), reader.plan(1), reader.run(1), reader.alarm(1), reader.fault(1), reader.flow(1)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ((6, 2, 2), frozenset({65})),
        ((6, 2, 2), 3),
        ((4, 2, 27), 70_000),
        ((9, 2, 6), (1,) * 17),
        ((1, 1, 0), "x" * 129),
    ],
)
def test_what_an_attribute_cannot_hold_is_not_written(place: tuple[int, int, int], value: Value) -> None:
    with pytest.raises(Unwritable):
        objects.write(Address(*place), value, USUAL)
