# SPDX-License-Identifier: Apache-2.0
"""Messages byte for byte, as other programs and controllers send them, and as any bytes at all."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.doors.ntcip import codec, spat
from citybrain.doors.ntcip.codec import Absent, Kind, Message, Oid, Special, UnreadableFrame, Version
from citybrain.doors.ntcip.spat import PhaseTimes, Spat

# What net-snmp 5.9.3 sends, as its option -d prints it: snmpget -v1, snmpset -v2c, snmpbulkget -v2c.
GREENS = (1, 3, 6, 1, 4, 1, 1206, 4, 2, 1, 1, 4, 1, 4, 1)
HOLD = (1, 3, 6, 1, 4, 1, 1206, 4, 2, 1, 1, 5, 1, 4, 1)
FORCE_OFF = (1, 3, 6, 1, 4, 1, 1206, 4, 2, 1, 1, 5, 1, 5, 1)
CHANNELS = (1, 3, 6, 1, 4, 1, 1206, 4, 2, 1, 8)
FOREIGN = [
    (
        "30300201000406 7075626c6963 a0230204 3b0315a7 020100020100 30153013 060f2b060104018936040201010401 0401 0500",
        Message(kind=Kind.GET, request_id=0x3B0315A7, bindings=((GREENS, None),)),
    ),
    (
        "30470201010405 61646d696e a33b0204 5794a78f 020100020100 302d3014 060f2b060104018936040201010501 0401 020122"
        "3015 060f2b060104018936040201010501 0501 02020088",
        Message(
            kind=Kind.SET,
            request_id=0x5794A78F,
            bindings=((HOLD, 0x22), (FORCE_OFF, 0x88)),
            community=b"admin",
            version=Version.V2C,
        ),
    ),
    (
        "302c0201010406 7075626c6963 a51f0204 16572d68 02010002010a 3011300f 060b2b0601040189360402010805 00",
        Message(kind=Kind.GET_BULK, request_id=0x16572D68, bindings=((CHANNELS, None),), version=Version.V2C, index=10),
    ),
]

# Broadcasts of a controller on a bench: usdot-fhwa-stol/carma-streets, test_data/ntcip_spat_data.txt, lines 1 and 2.
BROADCAST = (
    "cd100100000000000000000000000002000000320032018600000000030000000000000000000000000400320064003200640000000005000000"
    "000000000000000000060000003200320186000000000700000000000000000000000008003200640032006400000000090000000000000000"
    "000000000a0000000000000000000000000b0000000000000000000000000c0000000000000000000000000d0000000000000000000000000e"
    "0000000000000000000000000f0000000000000000000000001000000000000000000000000000880000002200aa0000000000000000000000"
    "0000000001111100a11c01f400000000"
)

oids: st.SearchStrategy[Oid] = st.builds(
    lambda first, second, rest: (first, second, *rest),
    st.integers(0, 2),
    st.integers(0, 39),
    st.lists(st.integers(0, 2**32 - 1), max_size=20),
)
values = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.binary(max_size=300),
    oids,
    st.sampled_from(Absent),
    st.builds(Special, st.integers(0x40, 0x47), st.binary(max_size=8)),
)
messages = st.builds(
    Message,
    kind=st.sampled_from(Kind),
    request_id=st.integers(-(2**31), 2**31 - 1),
    bindings=st.lists(st.tuples(oids, values), max_size=5).map(tuple),
    community=st.binary(max_size=40),
    version=st.sampled_from(Version),
    problem=st.integers(0, 18),
    index=st.integers(0, 255),
)
sixteen = st.integers(0, 0xFFFF)
eight = st.integers(0, 0xFF)
times = st.builds(
    PhaseTimes,
    phase=eight,
    vehicle_min=sixteen,
    vehicle_max=sixteen,
    pedestrian_min=sixteen,
    pedestrian_max=sixteen,
    overlap_min=sixteen,
    overlap_max=sixteen,
)
spats = st.builds(
    Spat,
    times=st.lists(times, min_size=16, max_size=16).map(tuple),
    count=eight,
    reds=sixteen,
    yellows=sixteen,
    greens=sixteen,
    walks=sixteen,
    flashing_overlaps=sixteen,
    status=eight,
    sequence=eight,
    second=st.integers(0, 2**24 - 1),
    millisecond=sixteen,
    pedestrian_detections=sixteen,
)


@pytest.mark.parametrize(("frame", "message"), FOREIGN)
def test_a_frame_of_another_program_is_read_and_written_byte_for_byte(frame: str, message: Message) -> None:
    octets = bytes.fromhex(frame)
    assert codec.decode(octets) == message
    assert codec.encode(message) == octets


def test_integers_have_the_shortest_form_that_keeps_their_sign() -> None:
    forms = {0: "020100", 127: "02017f", 128: "02020080", 256: "02020100", -128: "020180", -129: "0202ff7f"}
    for number, form in forms.items():
        message = Message(kind=Kind.RESPONSE, request_id=0, bindings=(((1, 3), number),))
        assert codec.encode(message).endswith(bytes.fromhex(form))


@given(messages)
def test_every_message_is_read_as_it_was_written(message: Message) -> None:
    assert codec.decode(codec.encode(message)) == message


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_refused(frame: bytes) -> None:
    try:
        message = codec.decode(frame)
    except UnreadableFrame:
        return
    assert codec.decode(codec.encode(message)) == message


@given(messages, st.data())
def test_a_message_with_broken_bytes_is_a_message_or_refused(message: Message, data: st.DataObject) -> None:
    frame = bytearray(codec.encode(message))
    frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(eight)
    frame = frame[: data.draw(st.integers(0, len(frame)))]
    try:
        codec.decode(bytes(frame))
    except UnreadableFrame:
        return


def test_a_broadcast_of_a_controller_says_what_is_red_and_when_green_ends() -> None:
    octets = bytes.fromhex(BROADCAST)
    said = spat.decode(octets)
    assert (said.reds, said.yellows, said.greens, said.dont_walks) == (0x88, 0, 0x22, 0xAA)
    assert (said.second, said.millisecond) == (0xA11C, 500)
    assert said.times[1] == PhaseTimes(
        phase=2, vehicle_min=0, vehicle_max=0x32, pedestrian_min=0x32, pedestrian_max=0x186
    )
    assert spat.encode(said) == octets


@given(spats)
def test_every_broadcast_is_read_as_it_was_written(said: Spat) -> None:
    assert spat.decode(spat.encode(said)) == said


@given(st.binary(max_size=300))
def test_any_bytes_are_a_broadcast_or_refused(frame: bytes) -> None:
    try:
        said = spat.decode(frame)
    except UnreadableFrame:
        return
    assert spat.encode(said) == frame


def test_a_broadcast_sent_before_midnight_is_not_a_day_old_or_young() -> None:
    after = datetime(2026, 3, 2, 0, 0, 1, tzinfo=UTC)
    late = Spat(times=tuple(PhaseTimes(phase=n + 1) for n in range(16)), second=86_399, millisecond=900)
    assert spat.said_at(late, after) == datetime(2026, 3, 1, 23, 59, 59, 900_000, tzinfo=UTC)


def test_a_controller_whose_clock_is_wrong_spoke_when_it_was_heard() -> None:
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    wrong = Spat(times=tuple(PhaseTimes(phase=n + 1) for n in range(16)), second=43_100)
    assert spat.said_at(wrong, noon) == noon
