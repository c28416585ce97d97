# SPDX-License-Identifier: Apache-2.0
"""A new city begins in shadow; people promote, hold and demote its junctions over HTTP, and kills change nothing."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from citybrain.doors.sumo.scenario import installed
from tests.scenarios.city import RunningCity, eventually, running, start
from tests.scenarios.test_a_city_that_runs import mode
from tests.scenarios.test_orders_of_people import executed, look, officers, order, signal_of, signed_in

OWN = next((one.path for one in installed() if one.id == "cologne1"), "")
"""The same streets, but opened by their path, as a city that nobody knows yet."""

pytestmark = pytest.mark.skipif(not OWN, reason="the scenarios are not installed")

__all__ = ["officers"]


@pytest.fixture(scope="module")
def city(officers: Callable[[], Path]) -> Iterator[RunningCity]:
    with running(officers(), scenario=OWN, speed="30") as one:
        yield one


def junction(city: RunningCity, signal: str) -> Any:
    return city.get(f"/api/apps/traffic/junctions/{signal}")


def moment(said: str) -> datetime:
    return datetime.fromisoformat(said)


def test_a_city_that_nobody_knows_begins_in_shadow_decides_and_does_not_act(city: RunningCity) -> None:
    signal = signal_of(city)
    seen = eventually(lambda: (found := junction(city, signal)) and found["decision"] and found, within_s=60)
    assert (seen["mode"], seen["begins_in"], seen["says"]) == ("shadow", "shadow", "plan")
    assert seen["why_not"]["code"] == "traffic.not_brain_shadow"
    assert seen["compared"]["other"] == "brain"
    assert seen["compared"]["now"]["acting"] == "plan"
    assert all(approach["other_queue"] is not None for approach in seen["approaches"])
    assert city.get(f"/api/entities/{signal}")["orders"] == []
    (row,) = city.get("/api/apps/traffic/shadow")["junctions"]
    assert (row["id"], row["mode"], row["says"]) == (signal, "shadow", "plan")
    words = city.get("/api/words/zh")
    assert {seen["decision"]["code"], seen["why_not"]["code"]} <= set(words)


def test_promotion_and_demotion_are_acts_of_persons_with_a_reason(city: RunningCity) -> None:
    signal = signal_of(city)
    with signed_in(city, "ann") as ann:
        body = {"means": "traffic.set_mode", "entity_id": signal, "parameters": {"mode": "brain"}}
        unsaid = ann.post("/api/orders", json=body).json()["id"]
        assert executed(ann, unsaid)["outcome"]["code"] == "traffic.no_reason"
        promoted = order(ann, signal, "set_mode", mode="brain")
        assert executed(ann, promoted["id"])["outcome"]["state"] == "executed"
        acting = eventually(lambda: (found := junction(city, signal)) and found["says"] == "brain" and found)
        assert acting["mode"] == "brain"
        eventually(lambda: mode(city, signal) == "brain", within_s=60)
        acts = [(act["act"], act["by"]) for act in ann.get(f"/api/orders/{promoted['id']}").json()["acts"]]
        assert acts[0] == ("give", "ann")
        order(ann, signal, "set_mode", mode="shadow")
        eventually(lambda: mode(city, signal) == "plan", within_s=60)
        given_back = city.get(f"/api/entities/{signal}")["orders"][0]
        assert given_back["because"]["code"] in ("traffic.given_back", "kernel.because_person")


def test_two_officers_do_not_fight_by_holds(city: RunningCity) -> None:
    signal = signal_of(city)
    with signed_in(city, "ann") as ann, signed_in(city, "bob") as bob:
        hold = order(ann, signal, "hold", show=0, minutes=10)
        assert executed(ann, hold["id"])["outcome"]["state"] == "executed"
        refused = executed(bob, order(bob, signal, "hold", show=1, minutes=10)["id"])
        assert (refused["state"], refused["outcome"]["code"]) == ("refused", "traffic.held_by_somebody")
        assert refused["outcome"]["facts"]["by"] == "ann"
        held = eventually(lambda: (found := junction(city, signal)) and found["says"] == "lock" and found)
        assert (held["held"]["by"], held["held"]["stage"]) == ("ann", 0)
        assert held["claims"][0]["is_heard"]
        assert held["why_not"]["code"] == "traffic.not_brain_lock"
        executed(bob, order(bob, signal, "end_hold")["id"])
        eventually(lambda: junction(city, signal)["held"] is None)


def test_a_plan_is_judged_before_it_runs(city: RunningCity) -> None:
    signal = signal_of(city)
    with signed_in(city, "ann") as ann:
        view = ann.get("/api/apps/traffic/plans", params={"signal": signal}).raise_for_status().json()
        assert (view["mode"], view["timetables"]) == ("shadow", [])
        stages = [{"stage": one["number"], "green_s": one["min_green_s"] + 10} for one in view["stages"]]
        table = {"rows": [{"plan": {"name": "fair", "timings": [{"signal_id": signal, "phases": stages}]}}]}
        fit = ann.post("/api/apps/traffic/plans/check", json=table).raise_for_status().json()
        assert (fit["wrong"], fit["running"], len(fit["week"])) == ([], 0, 7)
        change_s = view["yellow_s"] + view["all_red_s"]
        assert fit["bars"][0]["cycle_s"] == sum(one["green_s"] + change_s for one in stages)
        stages[1]["green_s"] = 0.5
        (wrong,) = ann.post("/api/apps/traffic/plans/check", json=table).json()["wrong"]
        assert (wrong["code"], wrong["phase"]) == ("traffic.plan_green_too_short", 1)
        given = order(ann, signal, "run_plan", **table)["id"]
        assert executed(ann, given)["outcome"]["code"] == wrong["code"], "what is judged so is refused so"
        stages[1]["green_s"] = 20
        executed(ann, order(ann, signal, "run_plan", **table)["id"])
        (standing,) = ann.get("/api/apps/traffic/plans", params={"signal": signal}).json()["timetables"]
        assert (standing["by"], standing["drawn"]["running"]) == ("ann", 0)
        order(ann, signal, "end_plan")
    assert httpx.get(f"{city.url}/api/apps/traffic/plans", params={"signal": signal}).status_code in (401, 403)


def test_who_steers_is_not_forgotten_when_the_city_is_killed(officers: Callable[[], Path]) -> None:
    folder = officers()
    first = start(folder, scenario=OWN, speed="30")
    signal = signal_of(first)
    with signed_in(first, "ann") as ann:
        promoted = order(ann, signal, "set_mode", mode="brain")["id"]
        executed(ann, promoted)
        held = executed(ann, order(ann, signal, "hold", show=1, minutes=10)["id"])
    first.kill()
    with running(folder, scenario=OWN, speed="5") as second, signed_in(second, "ann") as ann:
        eventually(lambda: junction(second, signal)["mode"] == "brain", within_s=60)
        assert look(ann, promoted)["state"] == "standing"
        again = eventually(lambda: junction(second, signal)["held"], within_s=60)
        assert (again["by"], again["stage"]) == ("ann", 1), "what one person holds stands as well"
        assert moment(again["until"]) == moment(held["given_at"]) + timedelta(minutes=10), "and no longer than it would"
        assert look(ann, held["id"])["state"] == "standing"
        ann.post(f"/api/orders/{held['id']}/end", json={"reason": "over"}).raise_for_status()
        eventually(lambda: junction(second, signal)["held"] is None, within_s=60)
        eventually(lambda: mode(second, signal) == "brain", within_s=60)
