# SPDX-License-Identifier: Apache-2.0
"""Frames of a foreign controller, and properties of the codec."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.doors.gbt20999.codec import (
    Address,
    Dialect,
    Frame,
    FrameType,
    Item,
    Splitter,
    Status,
    Unreadable,
    Unwritable,
    crc16,
    datagram,
    decode,
    encode,
)
from citybrain.kernel.errors import Refusal

RECORDED = [bytes.fromhex(line) for line in json.loads(Path(__file__).with_name("recorded.json").read_text())["frames"]]
OLD = Dialect(version=0x0100)

BYTE = st.integers(0, 255)
ITEMS = st.lists(
    st.builds(Item, BYTE, st.builds(Address, BYTE, BYTE, BYTE, BYTE), st.binary(max_size=251)), max_size=12
).map(tuple)
FRAMES = st.builds(
    Frame,
    type=st.sampled_from([each for each in FrameType if each not in (FrameType.BEAT, FrameType.BEAT_REPLY)]),
    items=ITEMS,
    sequence=BYTE,
    centre=BYTE,
    controller=st.integers(0, 0xFFFFFFFF),
    junction=BYTE,
    version=st.integers(0, 0xFFFF),
)
DIALECTS = st.builds(Dialect, length=st.sampled_from(["without", "with"]), beat_count=st.booleans())


def test_frames_recorded_at_a_foreign_controller_are_read() -> None:
    assert len(RECORDED) > 100
    assert {datagram(each).type for each in RECORDED} == {
        FrameType.QUERY,
        FrameType.QUERY_REPLY,
        FrameType.QUERY_ERROR,
    }


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda each: each[13:20].hex())
def test_a_recorded_frame_is_written_byte_for_byte_as_it_was(recorded: bytes) -> None:
    assert encode(datagram(recorded), escaped=False, dialect=OLD) == recorded


def test_a_query_for_the_maker_is_what_the_foreign_centre_sent() -> None:
    query = Frame(
        type=FrameType.QUERY,
        items=(Item(1, Address(1, 1)),),
        sequence=1,
        centre=5,
        controller=0,
        junction=0,
        version=0x0100,
    )
    assert (
        encode(query, escaped=False).hex(" ") == "7e 00 13 01 00 05 00 00 00 00 00 01 10 01 01 04 01 01 00 00 5a 91 7d"
    )


def test_a_refused_query_carries_its_reason_in_one_byte() -> None:
    told = datagram(bytes.fromhex("7e0014010005000000000002210101051102010130fa977d"))
    assert told.type is FrameType.QUERY_ERROR
    assert [(each.address, Status(each.data[0])) for each in told.items] == [((0x11, 2, 1, 1), Status.NOT_THERE)]


def test_on_udp_a_tail_inside_the_frame_stands_bare() -> None:
    recorded = bytes.fromhex("7e00150100050000000000022001010 60c0205011ffe427d7d".replace(" ", ""))
    assert recorded in RECORDED
    frame = datagram(recorded)
    assert encode(frame, escaped=True, dialect=OLD).endswith(b"\x42\x5c\x7d\x7d")


@given(st.binary(max_size=40))
def test_the_checksum_is_the_rest_of_dividing_by_the_polynomial(data: bytes) -> None:
    rest = int.from_bytes(data, "big") << 16
    for place in range(rest.bit_length() - 1, 15, -1):
        if rest >> place & 1:
            rest ^= 0x11005 << place - 16
    assert crc16(data) == rest


@given(FRAMES, DIALECTS, st.booleans())
def test_what_is_written_is_read_as_the_same(frame: Frame, dialect: Dialect, escaped: bool) -> None:
    wire = encode(frame, escaped=escaped, dialect=dialect)
    if escaped:
        assert [decode(each) for each in Splitter().feed(wire)] == [frame]
    else:
        assert datagram(wire) == frame


@given(st.sampled_from([FrameType.BEAT, FrameType.BEAT_REPLY]), st.booleans())
def test_heartbeats_are_read_with_and_without_a_count(type: FrameType, count: bool) -> None:
    beat = Frame(type=type, sequence=7)
    wire = encode(beat, escaped=False, dialect=Dialect(beat_count=count))
    assert len(wire) == 16 + count
    assert datagram(wire) == beat


def test_the_odd_answer_to_a_heartbeat_is_one() -> None:
    inside = bytes.fromhex("000c 0102 01 00000001 01 07 71")
    odd = bytes([0x7E]) + inside + crc16(inside).to_bytes(2, "big") + bytes([0x7D])
    assert datagram(odd).type is FrameType.BEAT_REPLY


@given(st.lists(FRAMES, max_size=4), st.lists(st.integers(1, 9), min_size=1))
def test_frames_are_found_in_a_stream_wherever_it_is_cut(frames: list[Frame], cuts: list[int]) -> None:
    wire = b"".join(encode(frame, escaped=True) for frame in frames)
    splitter, found, at, turn = Splitter(), [], 0, 0
    while at < len(wire):
        step = cuts[turn % len(cuts)]
        found += splitter.feed(wire[at : at + step])
        at, turn = at + step, turn + 1
    assert [decode(each) for each in found] == frames


@given(st.binary(max_size=60), FRAMES)
def test_a_torn_frame_or_noise_does_not_swallow_the_next(noise: bytes, frame: Frame) -> None:
    splitter = Splitter()
    splitter.feed(noise + b"\x00")  # what escapes nothing ends the noise
    assert [decode(each) for each in splitter.feed(encode(frame, escaped=True))][-1:] == [frame]


@given(st.binary(max_size=300))
def test_any_bytes_are_a_frame_or_refused(data: bytes) -> None:
    for each in (data, *Splitter().feed(data)):
        for read in (decode, datagram):
            try:
                assert isinstance(read(each), Frame)
            except Refusal as refusal:
                assert isinstance(refusal, Unreadable)


@given(FRAMES, st.data())
def test_no_flipped_bit_goes_unseen(frame: Frame, data: st.DataObject) -> None:
    wire = bytearray(encode(frame, escaped=False))
    bit = data.draw(st.integers(8, len(wire) * 8 - 9))
    wire[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Unreadable):
        datagram(bytes(wire))


@given(st.binary(min_size=1, max_size=40))
def test_bytes_inside_that_look_like_items_but_are_not_are_refused(inside: bytes) -> None:
    head = bytes.fromhex("0102010000000101072001") + inside
    body = (len(head) + 2).to_bytes(2, "big") + head
    try:
        frame = decode(body + crc16(body).to_bytes(2, "big"))
    except Unreadable:
        return
    assert encode(frame, escaped=False)[1:-1] == body + crc16(body).to_bytes(2, "big")


def test_what_does_not_fit_is_not_written() -> None:
    for wrong in (
        Frame(type=FrameType.SET, items=(Item(1, Address(1, 1), bytes(252)),)),
        Frame(type=FrameType.SET, items=(Item(256, Address(1, 1)),)),
        Frame(type=FrameType.SET, sequence=256),
        Frame(type=FrameType.SET, items=(Item(1, Address(1, 1), bytes(251)),) * 256),
    ):
        with pytest.raises(Unwritable):
            encode(wrong, escaped=True)
