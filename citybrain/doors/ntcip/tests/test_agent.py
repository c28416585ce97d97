# SPDX-License-Identifier: Apache-2.0
"""The agent of the emulated controller: whatever it is asked, it answers readably; only commands change anything."""

from hypothesis import given, settings
from hypothesis import strategies as st

from citybrain.doors.ntcip import codec, objects
from citybrain.doors.ntcip.agent import Agent
from citybrain.doors.ntcip.cabinet import dual_ring
from citybrain.doors.ntcip.codec import Kind, Message, Oid, Problem, Special, Value, Version
from citybrain.doors.ntcip.emulator import Emulator
from citybrain.doors.ntcip.unit import Controls, Unit

KNOWN = (*objects.CONTROLS, objects.STATUS_GREENS, objects.YELLOW, objects.CONCURRENCY)
oids: st.SearchStrategy[Oid] = st.one_of(
    st.builds(lambda oid, index: (*oid, index), st.sampled_from(KNOWN), st.integers(0, 20)),
    st.sampled_from([objects.PATTERN_CONTROL, objects.BACKUP_TIME, objects.ASC, (1, 3), (2, 39)]),
    st.lists(st.integers(0, 2**32 - 1), max_size=8).map(lambda rest: (1, 3, *rest)),
)
values: st.SearchStrategy[Value] = st.one_of(
    st.none(), st.integers(-300, 70_000), st.binary(max_size=4), oids, st.just(Special(0x41, b"\x01"))
)
requests = st.builds(
    Message,
    kind=st.sampled_from(Kind),
    request_id=st.integers(-(2**31), 2**31 - 1),
    bindings=st.lists(st.tuples(oids, values), max_size=60).map(tuple),
    community=st.sampled_from([b"public", b"", b"other"]),
    version=st.sampled_from(Version),
    problem=st.integers(-5, 300),
    index=st.integers(-5, 2**31 - 1),
)


@settings(deadline=None)
@given(st.lists(requests, max_size=5))
def test_every_request_gets_a_readable_answer_of_one_packet_or_none(asked: list[Message]) -> None:
    emulator = Emulator(Unit(dual_ring()), report=None, prints=False, spat_to=None, speed=1)
    for each in asked:
        for _, frame in emulator.take(codec.encode(each)):
            answer = codec.decode(frame)
            assert (answer.kind, answer.request_id) == (Kind.RESPONSE, each.request_id)
            assert each.community == b"public"
            if each.kind is Kind.GET_BULK:
                assert len(answer.bindings) <= max(50, len(each.bindings))
        emulator.unit.tick()


@given(st.binary(max_size=100))
def test_any_bytes_are_answered_or_not_but_never_break_it(frame: bytes) -> None:
    emulator = Emulator(Unit(dual_ring()), report=None, prints=False, spat_to=None, speed=1)
    assert len(emulator.take(frame)) <= 1
    assert emulator.control(frame) == b"ok" or emulator.unit.controls == Controls()


def test_a_refused_command_changes_nothing_and_does_not_count_as_one() -> None:
    unit = Unit(dual_ring())
    hold, greens = (*objects.CONTROL_HOLD, 1), (*objects.STATUS_GREENS, 1)
    asked = Message(kind=Kind.SET, request_id=1, bindings=((hold, 2), (greens, 1)), version=Version.V2C)
    answer = Agent(unit).answer(asked)
    assert answer is not None
    assert (answer.problem, answer.index) == (Problem.NOT_WRITABLE, 2)
    assert unit.controls.are_idle()
    assert unit.status == objects.CONTROL_TIMEBASE
