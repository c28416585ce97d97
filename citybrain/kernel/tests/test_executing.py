# SPDX-License-Identifier: Apache-2.0
"""Orders go to whoever owns the entity; what machines show and say of themselves counts before what the field says."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np

from citybrain.kernel.app import Frame
from citybrain.kernel.executing import Executing
from citybrain.kernel.records import Batch, Because, Column, Entity, Facts, Order, Outcome, OutcomeState

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def signal(name: str, lamps: int = 2) -> Entity:
    links = [{"index": lamp, "approach": "a", "exit": "b"} for lamp in range(lamps)]
    return Entity(
        id=name,
        type="TrafficSignalController",
        source="s",
        observed_at=NOON,
        attributes={"links": links, "stages": ["Gr", "rG"], "min_green_s": [5.0, 5.0]},
    )


def order(number: str, entity_id: str) -> Order:
    return Order(id=number, means="traffic.set_stage", entity_id=entity_id, at=NOON, because=Because(code="c"))


class Street:
    """An executor of one machine."""

    def __init__(self, entity_id: str, shown: str = "rG") -> None:
        self.claims = frozenset({entity_id})
        self.said: Facts | None = {"stages": ["Gr", "rG"], "min_green_s": [7.0, 7.0]}
        self.shown = shown
        self.got: list[str] = []
        self._ids = (entity_id,)
        self.means: frozenset[str] = frozenset()

    def lacks(self, means: str) -> Because | None:
        return None

    async def obey(self, orders: Sequence[Order], at: datetime) -> Sequence[Outcome]:
        self.got += [each.id for each in orders]
        return [Outcome(order_id=each.id, state=OutcomeState.EXECUTED, at=at) for each in orders]

    def facts(self) -> Mapping[str, Facts]:
        return {} if self.said is None else {self._ids[0]: self.said}

    def columns(self) -> Sequence[Column]:
        return (Column(attribute="signalState", entity_ids=self._ids, values=(self.shown,)),)


def frame() -> Frame:
    columns = (
        Column(attribute="signalState", entity_ids=("a", "b"), values=("Gr", "Gr")),
        Column(attribute="queueLength", entity_ids=("a", "d"), values=np.array([1.0, 2.0])),
    )
    return Frame(batch=Batch(id="1", source="s", observed_at=NOON, received_at=NOON, columns=columns))


def states(of: Frame) -> dict[str, str]:
    return {
        entity_id: value
        for column in of.batch.columns
        if column.attribute == "signalState"
        for entity_id, value in zip(column.entity_ids, column.values, strict=True)
    }


async def test_each_order_goes_to_whoever_claims_the_entity() -> None:
    street = Street("a")
    executing = Executing([street])
    ours, fields = executing.split([order("1", "a"), order("2", "b")])
    outcomes = await executing.obey(ours, NOON)
    assert ([each.order_id for each in outcomes], [each.id for each in fields], street.got) == (["1"], ["2"], ["1"])


def test_the_brain_thinks_in_what_the_controller_says_of_itself() -> None:
    executing = Executing([Street("a")])
    entities = executing.adopt([signal("a"), signal("b")])
    assert [entity.attributes["min_green_s"] for entity in entities] == [[7.0, 7.0], [5.0, 5.0]]


def test_a_controller_that_says_something_else_is_news_until_it_is_adopted() -> None:
    street = Street("a")
    executing = Executing([street])
    assert executing.has_news
    executing.adopt([signal("a")])
    assert not executing.has_news
    street.said = {"stages": ["Gr", "rG"], "min_green_s": [8.0, 8.0]}
    assert executing.has_news


def test_what_a_machine_shows_replaces_what_the_field_says_of_it_and_nothing_else() -> None:
    executing, given = Executing([Street("a")]), frame()
    executing.adopt([signal("a"), signal("b")])
    merged = executing.merge(given, ())
    assert states(merged) == {"a": "rG", "b": "Gr"}
    assert len([column for column in merged.batch.columns if column.attribute == "queueLength"]) == 1
    again = executing.merge(given, ())
    ids = [[column.entity_ids for column in each.batch.columns] for each in (merged, again)]
    assert all(one is other for one, other in zip(*ids, strict=True)), "so that their place in the pool is found once"


def test_what_the_brain_does_not_know_yet_is_not_shown_to_it() -> None:
    executing = Executing([Street("a", shown="rGG")])
    assert states(executing.merge(frame(), ())) == {"a": "Gr", "b": "Gr"}
    executing.adopt([signal("a")])
    assert states(executing.merge(frame(), ())) == {"a": "Gr", "b": "Gr"}, "it has other lamps than it said"


def test_a_controller_with_fewer_lamps_than_the_signal_has_ways_is_not_believed() -> None:
    executing = Executing([Street("a")])
    (entity,) = executing.adopt([signal("a", lamps=3)])
    assert entity.attributes["min_green_s"] == [5.0, 5.0]
    assert states(executing.merge(frame(), ())) == {"a": "Gr", "b": "Gr"}


async def test_a_city_without_executors_is_as_it_was() -> None:
    executing = Executing()
    given = frame()
    assert executing.merge(given, ()) is given
    assert await executing.obey([], NOON) == ()
    assert not executing.has_news


class People(Street):
    """An executor of a means, on anything."""

    def __init__(self, means: str) -> None:
        super().__init__("nothing")
        self.claims: frozenset[str] = frozenset()
        self.means = frozenset({means})
        self.said = None

    def lacks(self, means: str) -> Because | None:
        return Because(code="nobody_there")

    def columns(self) -> Sequence[Column]:
        return ()


async def test_orders_of_a_means_go_to_its_executor_whatever_they_are_on() -> None:
    street, people = Street("a"), People("people.send")
    executing = Executing([street, people])
    send = Order(id="2", means="people.send", entity_id="a", at=NOON, because=Because(code="c"))
    nowhere = Order(id="3", means="people.send", entity_id="somewhere", at=NOON, because=Because(code="c"))
    ours, fields = executing.split([order("1", "a"), send, nowhere, order("4", "b")])
    assert [each.id for each in ours] == ["1", "2", "3"]
    assert [each.id for each in fields] == ["4"]
    assert {each.order_id for each in await executing.obey(ours, NOON)} == {"1", "2", "3"}
    assert (street.got, people.got) == (["1"], ["2", "3"])


def test_a_means_says_why_its_executor_could_not_carry_it_out() -> None:
    executing = Executing([Street("a"), People("people.send")])
    assert executing.means == {"people.send"}
    assert executing.lacks("people.send") == Because(code="nobody_there")
    assert executing.lacks("traffic.set_stage") is None
