# SPDX-License-Identifier: Apache-2.0
"""Missions from dispatch to arrival on a road of two signals: corridor, hand-back, silence, refusals, restarts."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from citybrain.apps.traffic.control.claims import Claim, Rank
from citybrain.apps.traffic.control.missions.missions import GIVEN_UP_S, SILENT_S, Missions
from citybrain.apps.traffic.control.missions.model import CANCEL_MISSION, DISPATCH, REROUTE_VEHICLE, SEND_VEHICLE
from citybrain.kernel.errors import Refusal
from citybrain.kernel.records import Batch, Because, Column, Entity, Event, Order, Outcome, OutcomeState

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
FLEET = "urn:ngsi-ld:VehicleFleet:test"
BECAUSE = Because(code="test.because")


def road(name: str, *onward: str, length_m: float = 500.0) -> list[Entity]:
    facts = {"length": length_m, "maximumAllowedSpeed": 50.0, "totalLaneNumber": 2, "leadsTo": list(onward)}
    line = {"type": "LineString", "coordinates": [(0.0, 0.0), (0.0, 0.004)]}
    lane = {"lane": f"{name}_0", "road": name, "number": 0, "length": length_m}
    return [
        Entity(id=name, type="RoadSegment", source="t", observed_at=NOON, geometry=line, attributes=facts),
        Entity(id=f"lane-{name}", type="RoadLane", source="t", observed_at=NOON, attributes=lane),
    ]


def signal(name: str, road_in: str, road_out: str, side: str) -> list[Entity]:
    """Stage 0 is the side road's, stage 1 the mission's."""
    links = [
        {"index": 0, "approach": f"{side}_0", "exit": f"{road_out}_0", "via": "", "crosses": []},
        {"index": 1, "approach": f"{road_in}_0", "exit": f"{road_out}_0", "via": "", "crosses": []},
    ]
    facts = {"links": links, "stages": ["Gr", "rG"], "min_green_s": [5.0, 5.0], "yellow_s": 3.0, "all_red_s": 1.0}
    found = [Entity(id=name, type="TrafficSignalController", source="t", observed_at=NOON, attributes=facts)]
    for one in (side, road_in):
        watches = {"controller": name, "role": "approach", "lane": f"{one}_0"}
        found.append(
            Entity(id=f"{name} {one}", type="TrafficDetector", source="t", observed_at=NOON, attributes=watches)
        )
    return found


CITY = [
    *road("a", "b"),
    *road("b", "c"),
    *road("c"),
    *road("x", "b"),
    *road("y", "c"),
    *signal("first", "a", "b", "x"),
    *signal("second", "b", "c", "y"),
]
ROUTE = ("a", "b", "c")


class Town:
    """The claimant with a street of our making: what is seen, and what became of it."""

    def __init__(self, city: Sequence[Entity] = CITY) -> None:
        self.missions = Missions(city)
        self.second = 0
        self.lamps = {"first": "Gr", "second": "Gr"}
        self.queue_m: dict[str, float] = {}
        self.sent: list[Order] = []
        self.told: list[Event] = []

    @property
    def at(self) -> datetime:
        return NOON + timedelta(seconds=self.second)

    def dispatch(self, name: str = "1", **facts: Any) -> Outcome:
        parameters = {"kind": "ambulance", "urgency": 1, "from_road": "a", "to_road": "c", **facts}
        order = Order(id=name, means=DISPATCH, entity_id="c", at=self.at, because=BECAUSE, parameters=parameters)
        return self.missions.obey(order, self.at)

    def see(self, *said: Mapping[str, Any], outcomes: Sequence[Outcome] = ()) -> dict[str, Claim]:
        """One second in which vehicles say this; the claims."""
        self.second += 1
        columns = (
            Column(attribute="signalState", entity_ids=tuple(self.lamps), values=tuple(self.lamps.values())),
            Column(attribute="queueLength", entity_ids=tuple(self.queue_m), values=tuple(self.queue_m.values())),
            Column(attribute="fleet", entity_ids=(FLEET,), values=(said,)),
        )
        batch = Batch(id=f"b{self.second}", source="t", observed_at=self.at, received_at=self.at, columns=columns)
        self.missions.watch(batch, (), outcomes)
        claims = self.missions.claims(self.at.timestamp())
        self.sent.extend(self.missions.orders())
        self.told.extend(self.missions.tells())
        return {claim.signal_id: claim for claim in claims}

    def evidence(self) -> Mapping[str, Any]:
        """What screens know of the mission told of last."""
        return self.told[-1].evidence


def driving(road_at: str, position_m: float, name: str = "1", speed_mps: float = 20.0) -> dict[str, Any]:
    return {
        "vehicle": f"urn:ngsi-ld:Vehicle:ambulance-{name}",
        "mission": f"urn:ngsi-ld:Mission:{name}",
        "kind": "ambulance",
        "urgency": 1,
        "destination": "c",
        "class": "emergency",
        "state": "driving",
        "road": road_at,
        "position_m": position_m,
        "speed_mps": speed_mps,
        "route": ROUTE[ROUTE.index(road_at) :],
    }


def arrived(name: str = "1") -> dict[str, Any]:
    return {"vehicle": f"urn:ngsi-ld:Vehicle:ambulance-{name}", "state": "arrived"}


def test_a_dispatch_sends_a_vehicle_on_the_way_and_is_told_of_to_the_end() -> None:
    town = Town()
    outcome = town.dispatch()
    assert outcome.state is OutcomeState.EXECUTED
    town.see()
    (order,) = town.sent
    assert (order.means, order.parameters["route"], order.parameters["urgency"]) == (SEND_VEHICLE, list(ROUTE), 1)
    assert town.evidence()["state"] == "assigned"
    town.see(driving("a", 100.0))
    assert town.evidence()["state"] == "under_way"
    assert [one["signal"] for one in town.evidence()["junctions"]] == ["first", "second"]
    town.see(driving("c", 480.0))
    town.see(arrived())
    event = town.told[-1]
    assert event.ended_at == town.at
    assert (event.evidence["state"], event.evidence["eta_s"]) == ("arrived", 0.0)
    heard = len(town.told)
    town.see(arrived())
    assert len(town.told) == heard


def test_a_signal_opens_when_the_vehicle_is_near_and_is_given_back_when_it_has_passed() -> None:
    town = Town()
    town.dispatch()
    assert "second" not in town.see(driving("a", 100.0))
    near = town.see(driving("a", 350.0))
    assert (near["first"].stage, near["first"].rank) == (1, Rank.MISSION)
    assert near["first"].because.event_id == "urn:ngsi-ld:Mission:1"
    assert "first" not in town.see(driving("b", 5.0))
    junctions = {one["signal"]: one["state"] for one in town.evidence()["junctions"]}
    town.see(driving("b", 60.0))
    junctions = {one["signal"]: one["state"] for one in town.evidence()["junctions"]}
    assert junctions["first"] == "passed"


def test_a_queue_ahead_opens_its_signal_earlier() -> None:
    empty, full = Town(), Town()
    full.queue_m["second b"] = 120.0
    for town in (empty, full):
        town.dispatch()
    assert "second" not in empty.see(driving("a", 300.0))
    assert full.see(driving("a", 300.0))["second"].because.facts["queue"] == 16


def test_who_waited_at_a_corridor_is_served_next() -> None:
    town = Town()
    town.dispatch()
    town.queue_m["first x"] = 40.0
    town.lamps["first"] = "rG"
    for second in range(12):
        assert town.see(driving("a", 380.0 + second))["first"].stage == 1
    after = town.see(driving("b", 5.0))
    assert (after["first"].stage, after["first"].because.code) == (0, "traffic.mission_recovery")
    claims = [town.see(driving("b", 6.0)).get("first") for _ in range(40)]
    assert claims[-1] is None


def test_one_who_stands_behind_somebody_bound_elsewhere_lets_them_go_first() -> None:
    links = [
        {"index": lamp, "approach": "a_0", "exit": f"{out}_0", "via": "", "crosses": []}
        for lamp, out in ((0, "b"), (1, "x"))
    ]
    facts = {"links": links, "stages": ["Gr", "rG"], "min_green_s": [5.0, 5.0], "yellow_s": 3.0, "all_red_s": 0.0}
    fork = Entity(id="fork", type="TrafficSignalController", source="t", observed_at=NOON, attributes=facts)
    town = Town([*road("a", "b", "x"), *road("b", "c"), *road("c"), *road("x"), fork])
    town.lamps = {"fork": "Gr"}
    town.dispatch()
    stages = []
    for _ in range(60):
        stages.append(town.see(driving("a", 480.0, speed_mps=0.0))["fork"].stage)
    assert stages[0] == 0
    assert 1 in stages
    assert stages.index(1) > 10
    assert 0 in stages[stages.index(1) :]
    assert town.see(driving("a", 485.0, speed_mps=5.0))["fork"].stage == 0


def test_of_two_the_more_urgent_goes_first_and_the_other_knows_that_it_yields() -> None:
    town = Town()
    town.dispatch("1", urgency=3)
    town.dispatch("2", from_road="x", kind="police")
    other = {**driving("b", 0.0, "2"), "vehicle": "urn:ngsi-ld:Vehicle:police-2", "road": "x", "route": ("x", "b", "c")}
    claims = town.see(driving("a", 400.0), {**other, "position_m": 400.0})
    assert claims["first"].stage == 0
    yields = {event.id: [one["state"] for one in event.evidence["junctions"]] for event in town.told}
    assert yields["urn:ngsi-ld:Mission:1"][0] == "yields"
    assert yields["urn:ngsi-ld:Mission:2"][0] == "open"


def test_a_silent_vehicle_loses_its_green_and_gets_it_back_with_its_voice() -> None:
    town = Town()
    town.dispatch()
    assert "first" in town.see(driving("a", 400.0))
    for _ in range(int(SILENT_S) + 1):
        claims = town.see()
    assert "first" not in claims
    assert town.evidence()["state"] == "lost_contact"
    assert "first" in town.see(driving("a", 400.0))
    for _ in range(int(GIVEN_UP_S) + 1):
        town.see()
    assert town.evidence()["state"] == "cancelled"
    assert town.evidence()["acts"][-1]["code"] == "traffic.mission_act.given_up"
    assert town.told[-1].ended_at is not None


def test_a_mission_that_is_called_off_closes_and_cannot_be_called_off_again() -> None:
    town = Town()
    town.dispatch()
    town.see(driving("a", 400.0))
    cancel = Order(
        id="x", means=CANCEL_MISSION, entity_id="urn:ngsi-ld:Mission:1", at=town.at, because=BECAUSE, by="li"
    )
    town.missions.obey(cancel, town.at)
    assert town.see(driving("a", 410.0)) == {}
    assert town.evidence()["state"] == "cancelled"
    with pytest.raises(Refusal, match="no_such_mission"):
        town.missions.obey(cancel, town.at)


def test_a_vehicle_that_cannot_be_sent_ends_its_mission_with_the_reason() -> None:
    town = Town()
    town.dispatch()
    town.see()
    refused = Outcome(order_id=town.sent[0].id, state=OutcomeState.REFUSED, at=town.at, code="sumo.no_way")
    town.see(outcomes=[refused])
    assert town.evidence()["state"] == "cancelled"
    assert town.evidence()["acts"][-1]["facts"] == {"why": "sumo.no_way"}


def test_the_same_dispatch_again_is_the_same_mission() -> None:
    town = Town()
    assert town.dispatch().facts == town.dispatch().facts
    town.see()
    assert len(town.sent) == 1


def test_a_brain_that_began_anew_takes_up_who_is_under_way() -> None:
    town = Town()
    claims = town.see(driving("a", 400.0))
    assert claims["first"].stage == 1
    assert (town.told[-1].id, town.evidence()["state"]) == ("urn:ngsi-ld:Mission:1", "under_way")
    town.see(arrived())
    assert town.evidence()["state"] == "arrived"
    assert town.see(arrived()) == {}


def test_a_vehicle_that_reports_is_sent_on_and_not_twice_at_once() -> None:
    town = Town()
    free = {**driving("a", 100.0, "9"), "mission": "", "vehicle": "urn:ngsi-ld:Vehicle:car-9"}
    town.see(free)
    town.dispatch("5", vehicle="urn:ngsi-ld:Vehicle:car-9", from_road=None)
    town.see(free)
    assert [order.means for order in town.sent] == [REROUTE_VEHICLE]
    with pytest.raises(Refusal, match="vehicle_is_busy"):
        town.dispatch("6", vehicle="urn:ngsi-ld:Vehicle:car-9")


# fmt: off
WRONG = [
    ({"from_road": "nowhere"},                     "no_such_road"),
    ({"from_road": None},                          "no_such_road"),
    ({"from_road": "c", "to_road": "a"},           "no_way"),
    ({"vehicle": "urn:ngsi-ld:Vehicle:ghost"},     "no_such_vehicle"),
]
# fmt: on


@pytest.mark.parametrize(("facts", "code"), WRONG)
def test_what_cannot_be_done_is_refused(facts: Mapping[str, Any], code: str) -> None:
    town = Town()
    with pytest.raises(Refusal, match=code):
        town.dispatch(**facts)
    assert town.see() == {}


def test_points_are_taken_to_the_nearest_road() -> None:
    town = Town()
    town.dispatch(from_road=None, from_point=(0.0, 0.0))
    town.see()
    assert town.sent[0].parameters["route"][-1] == "c"


def test_a_better_way_is_taken_when_traffic_changes() -> None:
    city = [*road("a", "b", "d"), *road("b", "c"), *road("c"), *road("d", "c", length_m=600.0)]
    missions = Missions(city)
    parameters = {"kind": "fire", "from_road": "a", "to_road": "c"}
    missions.obey(Order(id="1", means=DISPATCH, entity_id="c", at=NOON, because=BECAUSE, parameters=parameters), NOON)
    (sent,) = missions.orders()
    assert sent.parameters["route"] == ["a", "b", "c"]
    said = {**driving("a", 100.0), "vehicle": "urn:ngsi-ld:Vehicle:fire-1", "speed_mps": 0.5}
    jam = Column(attribute="averageVehicleSpeed", entity_ids=("x:RoadSegment:x", "b"), values=(50.0, 3.0))
    orders: list[Order] = []
    for second in range(20):
        at = NOON + timedelta(seconds=second)
        fleet = Column(attribute="fleet", entity_ids=(FLEET,), values=((said,),))
        missions.watch(Batch(id="b", source="t", observed_at=at, received_at=at, columns=(fleet, jam)), (), ())
        orders.extend(missions.orders())
    assert [order.parameters["route"] for order in orders][:1] == [["a", "d", "c"]]
    assert orders[0].means == REROUTE_VEHICLE
