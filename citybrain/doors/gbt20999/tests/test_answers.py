# SPDX-License-Identifier: Apache-2.0
"""The emulated controller answers whatever it is asked or told, and every answer fits into frames."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.doors.gbt20999 import site
from citybrain.doors.gbt20999.answers import Cabinet
from citybrain.doors.gbt20999.codec import Address, Dialect, Frame, FrameType, Item, Status, datagram, encode
from citybrain.doors.gbt20999.objects import ATTRIBUTES
from citybrain.doors.gbt20999.street import Street

BYTE = st.integers(0, 255)
PLACES = st.sampled_from(sorted(ATTRIBUTES))
KNOWN = st.tuples(PLACES, st.integers(0, 5)).map(lambda known: Address(*known[0], known[1]))
ANY = st.tuples(BYTE, BYTE, BYTE, BYTE).map(lambda numbers: Address(*numbers))
ITEMS = st.lists(st.builds(Item, BYTE, KNOWN | ANY, st.binary(max_size=20)))


def cabinet() -> Cabinet:
    made = Cabinet(Street(site.load(site.CROSSING), 0.0, backup_s=20.0), Dialect())
    made.lamps = made.street.step(0.125)
    return made


@given(st.sampled_from(sorted(FrameType)), ITEMS.map(tuple), BYTE)
def test_whatever_comes_is_answered_in_frames_with_its_number(
    type: FrameType, items: tuple[Item, ...], sequence: int
) -> None:
    answers = list(cabinet().answer(Frame(type=type, items=items, sequence=sequence)))
    for answer in answers:
        assert datagram(encode(answer, escaped=False)) == answer
        assert answer.sequence == sequence
    if type is FrameType.SET:
        assert sum(len(answer.items) for answer in answers) == len(items)


def test_zero_asks_for_whole_tables() -> None:
    everything = [Item(1, Address(place[0], place[1], 0, 0)) for place in sorted(ATTRIBUTES)]
    told = [
        item.address
        for answer in cabinet().answer(Frame(type=FrameType.QUERY, items=tuple(everything)))
        if answer.type is FrameType.QUERY_REPLY
        for item in answer.items
    ]
    assert {Address(0x06, 2, 2, 1), Address(0x06, 2, 2, 3), Address(0x0D, 2, 4, 1), Address(0x01, 1, 0, 0)} <= set(told)


@pytest.mark.parametrize(
    ("address", "data", "status"),
    [
        (Address(0x11, 1, 2, 1), b"\x01", Status.CONTROL_FAILED),
        (Address(0x11, 1, 4, 1), b"\x15", None),
        (Address(0x11, 1, 4, 1), b"\x99", Status.OUT_OF_RANGE),
        (Address(0x11, 1, 4, 1), b"\x00\x15", Status.WRONG_LENGTH),
        (Address(0x11, 1, 1, 1), b"\x01", Status.READ_ONLY),
        (Address(0x11, 9, 1, 1), b"\x01", Status.NOT_THERE),
        (Address(0x04, 2, 27, 1), b"\x00\x01", Status.CONTROL_FAILED),
    ],
)
def test_what_cannot_be_set_is_refused_with_the_reason(address: Address, data: bytes, status: Status | None) -> None:
    (answer,) = cabinet().answer(Frame(type=FrameType.SET, items=(Item(1, address, data),)))
    if status is None:
        assert answer.type is FrameType.SET_REPLY
    else:
        assert (answer.type, answer.items[0].data) == (FrameType.SET_ERROR, bytes([status]))
