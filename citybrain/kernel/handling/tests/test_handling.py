# SPDX-License-Identifier: Apache-2.0
"""What people may do with an alarm: the table, the holder, the shelf, and that no order of acts breaks them."""

from datetime import UTC, datetime, timedelta
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.errors import Refusal
from citybrain.kernel.handling.handling import (
    HOLD_LASTS,
    NEXT,
    OF_THE_CITY,
    SHELF_MOST,
    Act,
    AlarmChanged,
    AlarmTaken,
    CommentEmpty,
    Done,
    Handling,
    NotNow,
    ShelfTime,
    State,
    applied,
    facts_of,
    now_is,
)
from citybrain.kernel.records import Severity

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def done(
    act: Act, by: str = "lin", *, after: timedelta = timedelta(0), note: str = "", until: timedelta | None = None
) -> Done:
    at = NOON + after
    return Done(
        act=act,
        by=by,
        at=at,
        note=note or ("why" if act is Act.COMMENT else ""),
        until=None if until is None else at + until,
    )


def after(*acts: Done) -> Handling:
    return reduce(applied, acts, Handling())


def test_taking_acknowledges_and_says_whose_it_is() -> None:
    taken = after(done(Act.TAKE))
    assert (taken.state, taken.taken_by, taken.acknowledged_by, taken.version) == (State.TAKEN, "lin", "lin", 1)


def test_who_acknowledged_first_stays_although_another_one_does_it_again() -> None:
    twice = after(done(Act.ACKNOWLEDGE), done(Act.ACKNOWLEDGE, "wu", note="seen too"))
    assert (twice.acknowledged_by, twice.note, twice.comments) == ("lin", "seen too", 1)


@pytest.mark.parametrize("act", [Act.ACKNOWLEDGE, Act.TAKE, Act.RELEASE, Act.SHELVE, Act.CLEAR])
def test_what_another_officer_has_is_refused_with_the_name(act: Act) -> None:
    with pytest.raises(AlarmTaken) as refused:
        after(done(Act.TAKE), done(act, "wu", until=HOUR))
    assert refused.value.facts["by"] == "lin"


def test_everybody_may_comment_on_what_another_officer_has() -> None:
    assert after(done(Act.TAKE), done(Act.COMMENT, "wu", note="tow is here")).note == "tow is here"


def test_a_comment_without_words_is_none() -> None:
    with pytest.raises(CommentEmpty):
        applied(Handling(), Done(act=Act.COMMENT, by="lin", at=NOON, note="  "))


def test_what_was_released_another_one_may_take() -> None:
    assert after(done(Act.TAKE), done(Act.RELEASE), done(Act.TAKE, "wu")).taken_by == "wu"


def test_who_went_home_does_not_hold_it_for_ever() -> None:
    with pytest.raises(AlarmTaken):
        after(done(Act.TAKE), done(Act.TAKE, "wu", after=HOLD_LASTS))
    assert after(done(Act.TAKE), done(Act.TAKE, "wu", after=HOLD_LASTS + HOUR)).taken_by == "wu"


def test_taking_again_what_one_has_keeps_the_time() -> None:
    assert after(done(Act.TAKE), done(Act.TAKE, after=HOUR)).taken_at == NOON


def test_an_old_version_is_refused_with_the_new_one() -> None:
    seen = after(done(Act.ACKNOWLEDGE))
    with pytest.raises(AlarmChanged) as refused:
        applied(seen, done(Act.CLEAR), version=0)
    assert refused.value.facts == {"version": 1}
    assert applied(seen, done(Act.CLEAR), version=1).state is State.CLEARED


@pytest.mark.parametrize("under", [State.NEW, State.ACKNOWLEDGED, State.TAKEN])
def test_the_shelf_gives_back_what_was_put_there_when_its_time_is_over(under: State) -> None:
    way = {State.NEW: (), State.ACKNOWLEDGED: (done(Act.ACKNOWLEDGE),), State.TAKEN: (done(Act.TAKE),)}[under]
    shelved = after(*way, done(Act.SHELVE, until=HOUR))
    assert now_is(shelved, NOON + HOUR - timedelta(seconds=1)).state is State.SHELVED
    back = now_is(shelved, NOON + HOUR)
    assert (back.state, back.shelved_until, back.taken_by) == (under, None, shelved.taken_by)
    assert after(*way, done(Act.SHELVE, until=HOUR), done(Act.UNSHELVE)).state is under


def test_the_shelf_can_be_lengthened_and_still_gives_back_what_it_got() -> None:
    shelved = after(done(Act.ACKNOWLEDGE), done(Act.SHELVE, until=HOUR), done(Act.SHELVE, until=2 * HOUR))
    assert now_is(shelved, NOON + 2 * HOUR).state is State.ACKNOWLEDGED


@pytest.mark.parametrize("until", [None, timedelta(0), -HOUR, SHELF_MOST + timedelta(seconds=1)])
def test_a_shelf_needs_a_time_to_come_that_is_not_too_far(until: timedelta | None) -> None:
    with pytest.raises(ShelfTime):
        applied(Handling(), Done(act=Act.SHELVE, by="lin", at=NOON, until=None if until is None else NOON + until))
    with pytest.raises(ShelfTime):
        applied(Handling(), Done(act=Act.SHELVE, by="lin", at=NOON, until=datetime(2026, 3, 1, 13)))  # noqa: DTZ001


def test_only_what_lies_there_too_long_is_taken_from_the_shelf_by_the_city() -> None:
    shelved = after(done(Act.SHELVE, until=HOUR))
    with pytest.raises(NotNow):
        applied(shelved, Done(act=Act.EXPIRE, by="", at=NOON + HOUR - timedelta(seconds=1)))
    assert applied(shelved, Done(act=Act.EXPIRE, by="", at=NOON + HOUR)).state is State.NEW


def test_cleared_is_the_end_of_handling_and_says_whether_the_event_went_on() -> None:
    cleared = after(done(Act.TAKE), done(Act.CLEAR))
    assert (cleared.state, cleared.cleared_by, cleared.taken_by) == (State.CLEARED, "lin", None)
    assert facts_of(done(Act.CLEAR), is_open=True, severity=Severity.II) == {"open": True, "severity": "II"}
    for act in (Act.ACKNOWLEDGE, Act.TAKE, Act.RELEASE, Act.SHELVE, Act.UNSHELVE, Act.CLEAR):
        with pytest.raises(NotNow):
            applied(cleared, done(act, until=HOUR))
    assert applied(cleared, done(Act.COMMENT, note="paid")).state is State.CLEARED


ACTS = st.builds(
    done,
    st.sampled_from([act for act in Act]),
    st.sampled_from(["lin", "wu", "zhao"]),
    after=st.integers(0, 20).map(lambda hours: hours * HOUR),
    until=st.integers(1, 24).map(lambda hours: hours * HOUR),
)


@given(st.lists(ACTS, max_size=30))
def test_whatever_is_done_in_whatever_order_an_alarm_is_in_one_piece(acts: list[Done]) -> None:
    handling = Handling()
    for each in sorted(acts, key=lambda act: act.at):
        try:
            following = applied(handling, each)
        except Refusal:
            continue
        assert following.version == handling.version + 1
        handling = following
        assert (handling.state is State.SHELVED) == (handling.under is not None) == (handling.shelved_until is not None)
        holds = State.TAKEN in (handling.state, handling.under)
        assert holds == (handling.taken_by is not None)
        assert handling.taken_by is None or handling.acknowledged_by is not None
        assert (handling.cleared_by is not None) == (handling.state is State.CLEARED)


def test_every_state_but_new_is_reached_by_an_act_and_every_act_leads_somewhere() -> None:
    assert {state for state in NEXT.values() if state} >= set(State) - {State.NEW}
    assert {act for _, act in NEXT} == set(Act) - OF_THE_CITY
