# SPDX-License-Identifier: Apache-2.0
from datetime import timedelta

import msgspec
import pytest

from citybrain.kernel.ld.context import CORE
from citybrain.kernel.records import Json
from citybrain.kernel.subscriptions.carriers import ARRIVED, Carried
from citybrain.kernel.subscriptions.compiled import compiled
from citybrain.kernel.subscriptions.line import TOGETHER, TRIES, TRIES_REFUSED, Line
from citybrain.kernel.subscriptions.notice import Notice
from citybrain.kernel.subscriptions.reading import read_subscription
from citybrain.kernel.subscriptions.subscription import Health, Kind, Why
from citybrain.kernel.subscriptions.tests.scene import NOON, wanted

SECOND = timedelta(seconds=1)
AWAY = Carried(Why("kernel.notify_unreachable", {"why": "nobody"}))
REFUSED = Carried(Why("kernel.notify_answered", {"status": 400}), is_refused=True)


def line(*about: str, **members: Json) -> Line:
    """A line in which changes of these entities wait, numbered from 1."""
    read = read_subscription(wanted("http://there/n", **members), CORE, tenant="", kind=Kind.ENTITIES, id="urn:s:1")
    made = Line(compiled(msgspec.structs.replace(read, number=7), CORE, CORE), Health(), 0)
    made.waiting.extend(
        Notice(number=number, at=NOON, about=each, subscriptions=[7], body=b"{}")
        for number, each in enumerate(about, 1)
    )
    return made


def numbers(notices: list[Notice]) -> list[int]:
    return [each.number for each in notices]


def test_different_entities_go_together_but_no_entity_overtakes_itself() -> None:
    assert numbers(line("a", "b", "a", "c").group()) == [1, 2]
    assert len(line(*map(str, range(500))).group()) == TOGETHER


def test_what_throttling_made_wait_is_told_as_the_newest_state_of_each_entity() -> None:
    throttled = line("a", "b", "a", throttling=5)
    group = throttled.group()
    assert numbers(group) == [1, 2, 3]
    assert numbers(throttled.newest(group)) == [2, 3]
    throttled.pass_over(group)
    assert throttled.told_until == 3 and not throttled.waiting


def test_throttling_counts_from_the_last_notification_that_arrived() -> None:
    throttled = line("a", throttling=5)
    assert throttled.may_go_in(NOON, 0) == 0
    throttled.note(ARRIVED, now=NOON, monotonic_s=0)
    assert throttled.may_go_in(NOON + 2 * SECOND, 2) == 3
    assert throttled.may_go_in(NOON + 6 * SECOND, 6) == 0


def test_a_paused_or_held_line_waits_until_it_is_woken() -> None:
    assert line("a", isActive=False).may_go_in(NOON, 0) is None
    held = line("a")
    held.is_held = True
    assert held.may_go_in(NOON, 0) is None


def test_pauses_double_after_each_failure_and_a_cooldown_is_the_least() -> None:
    failing = line("a")
    pauses = []
    for _ in range(11):
        failing.note(AWAY, now=NOON, monotonic_s=0)
        pauses.append(failing.may_go_in(NOON, 0))
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    failing.note(ARRIVED, now=NOON + SECOND, monotonic_s=0)
    assert failing.may_go_in(NOON, 0) == 0
    cool = line("a", endpoint={"cooldown": 20_000})
    cool.note(AWAY, now=NOON, monotonic_s=0)
    assert cool.may_go_in(NOON, 0) == 20


def test_a_notification_counts_once_as_sent_and_once_as_failed_however_often_it_is_tried() -> None:
    failing = line("a")
    for second in range(3):
        failing.set_out(NOON + second * SECOND)
        failing.note(AWAY, now=NOON + second * SECOND, monotonic_s=0)
    health = failing.health
    assert (health.times_sent, health.times_failed, health.tries) == (1, 1, 3)
    assert health.is_failing and health.last_failure == NOON + 2 * SECOND and "nobody" in health.why
    failing.set_out(NOON + 3 * SECOND)
    failing.note(ARRIVED, now=NOON + 3 * SECOND, monotonic_s=0)
    assert (health.times_sent, health.times_failed, health.tries) == (1, 1, 0)
    assert not health.is_failing


def test_an_endpoint_that_stays_away_loses_all_that_waited_to_the_dead_letters() -> None:
    failing = line("a", "b", "a")
    for tries in range(1, TRIES + 1):
        failing.note(AWAY, now=NOON, monotonic_s=0)
        assert len(failing.dying(AWAY, failing.group())) == (3 if tries == TRIES else 0)


def test_what_is_refused_dies_alone_and_sooner() -> None:
    failing = line("a", "b", "c")
    failing.note(REFUSED, now=NOON, monotonic_s=0)
    assert numbers(failing.group()) == [1]
    for _ in range(TRIES_REFUSED - 1):
        failing.note(REFUSED, now=NOON, monotonic_s=0)
    assert numbers(failing.dying(REFUSED, failing.group())) == [1]


@pytest.mark.parametrize("shared", [1, 2])
def test_a_notice_is_done_when_every_line_has_told_it(shared: int) -> None:
    several = [line(), line()]
    notice = Notice(number=1, at=NOON, about="a", subscriptions=[7, 8][:shared], body=b"{}")
    for each in several[:shared]:
        each.waiting.append(notice)
    assert [bool(each.pass_over(each.group())) for each in several[:shared]] == [False, True][-shared:]
