# SPDX-License-Identifier: Apache-2.0
import asyncio
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.cases.alarms import Alarms
from citybrain.kernel.cases.bpmn import ModelUnusable, faults, read_model
from citybrain.kernel.cases.case import Case, Verb
from citybrain.kernel.cases.case_types import CaseTypes
from citybrain.kernel.cases.conditions import ConditionUnusable, check_condition, holds
from citybrain.kernel.cases.notices import Notices
from citybrain.kernel.cases.processes import NoSuchProcess, Processes, ProcessThere, Standing
from citybrain.kernel.cases.refusals import MoveNotYours, NoSuchCase
from citybrain.kernel.cases.running import NoSuchTask, ProcessStuck, Running
from citybrain.kernel.cases.service import Cases
from citybrain.kernel.cases.tests.city import NOON, ROADS, TICKET, WATER, Clock, Tree, clerk, operator, pothole
from citybrain.kernel.cases.tests.test_alarms import People
from citybrain.kernel.crypto import KeyRing
from citybrain.kernel.db import Database
from citybrain.kernel.i18n import load_words

HEAD = '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="x"><process id="p">'
TAIL = "</process></definitions>"


def flow(id: str, source: str, target: str, condition: str = "") -> str:
    inside = f"<conditionExpression>{condition}</conditionExpression>" if condition else ""
    return f'<sequenceFlow id="{id}" sourceRef="{source}" targetRef="{target}">{inside}</sequenceFlow>'


TIMER = "<timerEventDefinition><timeDuration>{}</timeDuration></timerEventDefinition>"
# Two departments look at once; who is slow is urged; what is broken is repaired.
REPAIR = "".join(
    [
        HEAD,
        '<laneSet id="lanes"><lane id="l1" name="roads"><flowNodeRef>surface</flowNodeRef></lane>',
        '<lane id="l2" name="water"><flowNodeRef>pipes</flowNodeRef></lane></laneSet>',
        '<startEvent id="begin"/>',
        flow("f1", "begin", "fork"),
        '<parallelGateway id="fork"/>',
        flow("f2", "fork", "surface"),
        flow("f3", "fork", "pipes"),
        '<userTask id="surface" name="看路面"/><userTask id="pipes" name="看管道"/>',
        f'<boundaryEvent id="slow" attachedToRef="pipes" cancelActivity="false">{TIMER.format("1d")}</boundaryEvent>',
        flow("f4", "slow", "urge"),
        '<userTask id="urge" name="催办"/>',
        flow("f5", "urge", "urged"),
        '<endEvent id="urged"/>',
        flow("f6", "surface", "join"),
        flow("f7", "pipes", "join"),
        '<parallelGateway id="join"/>',
        flow("f8", "join", "which"),
        '<exclusiveGateway id="which" default="f10"/>',
        flow("f9", "which", "repair", "broken and case.priority &lt; 6"),
        flow("f10", "which", "end"),
        '<userTask id="repair" name="修复"/>',
        flow("f11", "repair", "dry"),
        f'<intermediateCatchEvent id="dry">{TIMER.format("PT2H")}</intermediateCatchEvent>',
        flow("f12", "dry", "end"),
        '<endEvent id="end"/>',
        TAIL,
    ]
)


def straight(element: str, id: str = "x") -> str:
    """A process with one element in the middle."""
    begin = f'<startEvent id="begin"/>{flow("f1", "begin", id)}{element}{flow("f2", id, "end")}<endEvent id="end"/>'
    return f"{HEAD}{begin}{TAIL}"


GATEWAY = (
    '<exclusiveGateway id="g"/>' + flow("a", "g", "end", "x == 1") + '<task id="other"/>' + flow("c", "other", "end")
)
# fmt: off
WRONG = [
    ("<a",                                                    "kernel.process_not_xml",               None),
    ("<!DOCTYPE x [<!ENTITY a 'b'>]>" + REPAIR,               "kernel.process_not_xml",               None),
    ("<a/>",                                                  "kernel.process_not_bpmn",              None),
    (straight('<scriptTask id="x"><script>import os</script></scriptTask>'), "kernel.process_element_not_run", "x"),
    (straight('<serviceTask id="x"/>'),                       "kernel.process_element_not_run",       "x"),
    (straight('<callActivity id="x" calledElement="y"/>'),    "kernel.process_element_not_run",       "x"),
    (straight(f'<intermediateCatchEvent id="x">{TIMER.format("soon")}</intermediateCatchEvent>'),
                                                              "kernel.process_timer_unreadable",      "x"),
    (straight('<userTask id="x"/><userTask id="lost"/>'),     "kernel.process_element_unreachable",   "lost"),
    (straight('<userTask id="x"/>') .replace('targetRef="end"', 'targetRef="nowhere"'),
                                                              "kernel.process_flow_nowhere",          "f2"),
    (straight(GATEWAY + flow("b", "g", "other", "x == 2"), "g").replace(flow("f2", "g", "end"), ""),
                                                              "kernel.process_gateway_without_default", "g"),
    (straight('<userTask id="x"/>').replace(flow("f2", "x", "end"), flow("f2", "x", "end", "open('f')")),
                                                              "kernel.process_condition_unusable",    "f2"),
]
# fmt: on


@pytest.mark.parametrize(("xml", "code", "element"), WRONG, ids=[code for _, code, _ in WRONG])
def test_what_cannot_be_run_is_refused_with_its_element(xml: str, code: str, element: str | None) -> None:
    found = [(each.code, each.facts.get("element")) for each in faults(xml)]
    assert (code, element) in found
    with pytest.raises(ModelUnusable):
        read_model(xml)


def test_branches_go_on_by_themselves_and_meet_again() -> None:
    assert faults(REPAIR) == []
    running = Running.start(read_model(REPAIR), {"case": {"priority": 3}})
    assert [(each.element, each.lane) for each in running.tasks()] == [("surface", "roads"), ("pipes", "water")]
    running.complete(running.tasks()[1].task, {"broken": True})
    running = Running.restore(running.store())
    assert [each.element for each in running.tasks()] == ["surface"]
    assert running.timers() == [], "who was quick is not urged"
    running.complete(running.tasks()[0].task, {})
    assert [each.element for each in running.tasks()] == ["repair"]
    running.complete(running.tasks()[0].task, {})
    (timer,) = running.timers()
    assert (timer.element, timer.length) == ("dry", "2h")
    assert running.ring(timer.task)
    assert running.is_over
    assert not running.ring(timer.task)


def test_who_is_slow_is_urged_and_may_still_do_it() -> None:
    running = Running.start(read_model(REPAIR), {"case": {"priority": 3}})
    assert running.ring(running.timers()[0].task)
    assert {each.element for each in running.tasks()} == {"surface", "pipes", "urge"}
    for name in ("surface", "pipes", "urge"):
        running.complete(next(each.task for each in running.tasks() if each.element == name), {})
    assert running.is_over


def test_a_condition_that_cannot_be_compared_says_where() -> None:
    xml = REPAIR.replace("broken and case.priority &lt; 6", "amount &lt; 6")
    running = Running.start(read_model(xml), {"case": {}})
    running.complete(running.tasks()[0].task, {})
    with pytest.raises(ProcessStuck) as stuck:
        running.complete(running.tasks()[0].task, {"amount": "much"})
    assert stuck.value.facts["element"] == "which"
    with pytest.raises(NoSuchTask):
        running.complete("nothing", {})


KNOWN: dict[str, Any] = {"case": {"category": "road", "fields": {"kinds": ["a"]}}, "amount": 7, "ok": True}
# fmt: off
CONDITIONS = [
    ("ok",                                        True),
    ("not ok or amount >= 7",                     True),
    ("case.category == 'road' and amount > 7",    False),
    ("case['category'] in ['road', 'water']",     True),
    ("'a' in case.fields.kinds",                  True),
    ("unknown is None",                           True),
    ("unknown.part == 1",                         False),
    ("1 < amount < 10",                           True),
    ("amount == -7",                              False),
]
# fmt: on


@pytest.mark.parametrize(("text", "value"), CONDITIONS)
def test_a_condition_compares_what_is_known(text: str, value: bool) -> None:
    assert holds(text, KNOWN) is value


@pytest.mark.parametrize(
    "text",
    ["", "f()", "().__class__.__base__.__subclasses__()", "lambda: 1", "[x for x in y]", "a := 1", "f'{a}'", "a ** 9",
     "x" * 501, "a if b else c", "'a' + 'b'", "import os"],
)  # fmt: skip
def test_a_condition_says_no_more_than_it_may(text: str) -> None:
    with pytest.raises(ConditionUnusable):
        check_condition(text)


@given(st.text(max_size=40))
def test_no_text_breaks_conditions(text: str) -> None:
    try:
        holds(text, KNOWN)
    except ConditionUnusable:
        return


class City:
    """A case engine with processes."""

    def __init__(self, db: Database) -> None:
        self.clock = Clock()
        self.cases = Cases(db, CaseTypes(db), self.clock, Tree())
        notices = Notices(db, KeyRing.new(now=NOON), ways={}, link=str, words=load_words())
        self.alarms = Alarms(db, self.cases, notices, People())
        self.processes = Processes(db, self.cases, self.clock)
        self.alarms.timer = self.processes.ring


@pytest.fixture(scope="module")
async def city(db: Database) -> City:
    city = City(db)
    await city.cases.types.put(TICKET, by="city", now=NOON - timedelta(days=1))
    await city.processes.put(operator(), "ticket", 1, REPAIR)
    return city


async def started(city: City) -> tuple[Case, Standing]:
    city.clock.at = NOON
    case = await city.cases.open(ROADS, pothole())
    return case, await city.processes.start(ROADS, case.id)


def task_of(standing: Standing, element: str) -> str:
    return next(each.task for each in standing.tasks if each.element == element)


async def test_departments_do_their_part_of_a_process_each_in_its_lane(city: City) -> None:
    case, standing = await started(city)
    pipes, surface = task_of(standing, "pipes"), task_of(standing, "surface")
    assert pipes in {each.task for each in await city.processes.tasks(WATER)}
    assert surface not in {each.task for each in await city.processes.tasks(WATER)}
    with pytest.raises((MoveNotYours, NoSuchCase)):
        await city.processes.complete(clerk("wu", "parks"), case.id, pipes, {})
    with pytest.raises((MoveNotYours, NoSuchCase)):
        await city.processes.complete(WATER, case.id, surface, {})
    await city.processes.complete(WATER, case.id, pipes, {"broken": False})
    standing = await city.processes.complete(ROADS, case.id, surface, {})
    assert standing.is_over
    with pytest.raises(NoSuchTask):
        await city.processes.complete(ROADS, case.id, surface, {})
    history = await city.cases.history(ROADS, case.id)
    assert [event.verb for event in history] == [Verb.OPEN, Verb.TASK, Verb.TASK, Verb.TASK]
    assert [event.facts["process"].get("task") for event in history[1:]] == [None, "pipes", "surface"]


async def test_two_who_do_both_branches_at_once_lose_nothing(city: City) -> None:
    case, standing = await started(city)
    await asyncio.gather(
        city.processes.complete(WATER, case.id, task_of(standing, "pipes"), {"broken": True}),
        city.processes.complete(ROADS, case.id, task_of(standing, "surface"), {}),
    )
    now = await city.processes.standing(ROADS, case.id)
    assert ([each.element for each in now.tasks], now.version) == (["repair"], 3)


async def test_a_process_goes_on_after_a_kill_and_its_timers_ring_once(city: City, db: Database) -> None:
    case, standing = await started(city)
    again = City(db)
    assert await again.processes.standing(ROADS, case.id) == standing
    again.clock.at = NOON + timedelta(days=1, minutes=1)
    rung = await asyncio.gather(*(again.alarms.ring(now=again.clock.at) for _ in range(3)))
    assert sum(rung) >= 1
    now = await again.processes.standing(ROADS, case.id)
    assert sorted(each.element for each in now.tasks) == ["pipes", "surface", "urge"]
    for element in ("pipes", "surface"):
        now = await again.processes.complete(operator(), case.id, task_of(now, element), {"broken": True})
    now = await again.processes.complete(operator(), case.id, task_of(now, "repair"), {})
    now = await again.processes.complete(operator(), case.id, task_of(now, "urge"), {})
    assert (now.tasks, now.is_over) == ((), False)
    await again.alarms.ring(now=again.clock.at + timedelta(hours=3))
    assert (await again.processes.standing(ROADS, case.id)).is_over


async def test_a_process_is_put_once_and_started_once(city: City) -> None:
    with pytest.raises(ProcessThere):
        await city.processes.put(operator(), "ticket", 1, REPAIR)
    assert await city.processes.xml("ticket", 1) == REPAIR
    case, _ = await started(city)
    with pytest.raises(ProcessThere):
        await city.processes.start(ROADS, case.id)
    other = await city.cases.open(ROADS, pothole())
    with pytest.raises(NoSuchProcess):
        await city.processes.standing(ROADS, other.id)
    with pytest.raises(NoSuchProcess):
        await city.processes.xml("ticket", 9)
