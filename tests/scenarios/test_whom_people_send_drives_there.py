# SPDX-License-Identifier: Apache-2.0
"""A tow truck that people send by a case drives in the simulated street too, once the case is open."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from citybrain.doors.sumo import scenario
from citybrain.doors.sumo.host import HostedSumoField
from citybrain.kernel.app import Opening
from citybrain.kernel.executing import Executing
from citybrain.kernel.loop import Step
from citybrain.kernel.records import Because, Column, Facts, Order, Outcome, OutcomeState
from citybrain.serve import scenarios
from citybrain.serve.side import Side

BEGINS_AT = datetime(2026, 1, 1, 8, tzinfo=UTC)
SEND_TOW = "people.send_tow"


class Office:
    """Takes cases in, and answers when it is told to."""

    def __init__(self) -> None:
        self.answer: OutcomeState | None = None
        self._open: list[Order] = []

    @property
    def claims(self) -> frozenset[str]:
        return frozenset()

    @property
    def means(self) -> frozenset[str]:
        return frozenset({SEND_TOW})

    def lacks(self, means: str) -> Because | None:
        return None

    async def obey(self, orders: Sequence[Order], at: datetime) -> Sequence[Outcome]:
        self._open += orders
        if self.answer is None:
            return ()
        answered, self._open = self._open, []
        return [Outcome(order_id=each.id, state=self.answer, at=at, code="test.case") for each in answered]

    def facts(self) -> Mapping[str, Facts]:
        return {}

    def columns(self) -> Sequence[Column]:
        return ()


@pytest.fixture
async def street() -> AsyncIterator[tuple[Side, Office]]:
    office = Office()
    opening = Opening(scenario=scenario.find("cologne1"), seed=1, begins_at=BEGINS_AT, obey=True)
    side = Side("brain", HostedSumoField(opening), decide=False, executing=Executing((office,)))
    side.plays = scenarios.door_of("sumo").plays
    await side.start()
    yield side, office
    await side.field.close()


def tow(side: Side) -> Order:
    road = next(one for one in side.entities if one.type == "RoadSegment" and one.attributes["leadsTo"])
    return Order(id="tow", means=SEND_TOW, entity_id=road.id, at=BEGINS_AT, because=Because(code="test.because"))


def trucks(step: Step) -> list[Any]:
    (column,) = (each for each in step.frame.batch.columns if each.attribute == "fleet")
    return [each for each in column.values[0] if each["kind"] == "tow"]


async def test_the_truck_drives_when_the_case_is_open_and_the_case_alone_answers(street: tuple[Side, Office]) -> None:
    side, office = street
    waiting = await side.step((tow(side),), vehicles=False)
    later = await side.step((), vehicles=False)
    assert not waiting.outcomes
    assert not trucks(later)
    office.answer = OutcomeState.EXECUTED
    answered = await side.step((), vehicles=False)
    assert [(each.order_id, each.code) for each in answered.outcomes] == [("tow", "test.case")]
    sent = await side.step((), vehicles=False)
    assert not sent.outcomes
    assert len(trucks(sent)) == 1


async def test_no_truck_drives_for_a_case_that_was_refused(street: tuple[Side, Office]) -> None:
    side, office = street
    office.answer = OutcomeState.REFUSED
    refused = await side.step((tow(side),), vehicles=False)
    assert [each.state for each in refused.outcomes] == [OutcomeState.REFUSED]
    assert not trucks(await side.step((), vehicles=False))
