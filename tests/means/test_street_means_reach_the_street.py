# SPDX-License-Identifier: Apache-2.0
"""The means of the street, ordered over HTTP in a simulated city: each reaches the field, in the words it knows."""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from citybrain.apps.operations.control.means import OF_STREET
from tests.means.test_over_http import signed_in
from tests.scenarios.city import RunningCity, running

CANNOT_HERE = {
    # This net has no such lane, no bus runs there, and a made-up bus stands for one.
    "street.reverse_lane": {"sumo.no_reversible_lane"},
    "street.open_bus_lane": {"sumo.no_bus_lane"},
    "transit.hold_bus": {"sumo.no_such_bus", "sumo.cannot_hold"},
    "transit.reroute_bus": {"sumo.no_such_bus"},
    "street.close_lane": {"sumo.all_lanes", "sumo.lane_is_needed"},
}
BUS = "urn:ngsi-ld:Vehicle:extra"


@pytest.fixture(scope="module")
def city(new_folder: Callable[[], Path]) -> Iterator[RunningCity]:
    with running(new_folder(), scenario="cologne1", speed="20") as started:
        yield started


@pytest.fixture(scope="module")
def outcomes(city: RunningCity) -> Mapping[str, Any]:
    """Every means of the street ordered once, and what came of it."""
    signal = city.get("/api/network")["signals"][0]["id"]
    road, into = _turn(city)
    parameters: Mapping[str, Mapping[str, Any]] = {
        "street.close_lane": {"lane_index": 0, "minutes": 5},
        "street.speed_limit": {"kmh": 30},
        "street.turn_ban": {"to": into},
        "street.gate": {"share": 0.5},
        "parking.guide": {"to_road": into},
        "signals.extend": {"seconds": 10},
        "transit.hold_bus": {"seconds": 30},
        "transit.reroute_bus": {"avoid": into},
        "transit.insert_bus": {"from_road": road, "to_road": into},
    }
    found: dict[str, Any] = {}
    with signed_in(city.url, city.password) as client:
        for name in sorted(OF_STREET, key=lambda name: name != "transit.insert_bus"):
            on = signal if name.startswith("signals.") else BUS if name.startswith("transit.") else road
            body = {"means": name, "entity_id": on, "parameters": parameters.get(name, {}), "reason": "test"}
            given = client.post("/api/orders", json=body)
            found[name] = _outcome(client, given) if given.status_code == 201 else given.json()
    return found


def _turn(city: RunningCity) -> tuple[str, str]:
    """A road, and one of those that it leads into."""
    for row in city.get("/ngsi-ld/v1/entities", type="RoadSegment", attrs="leadsTo", limit=100):
        leads = row.get("leadsTo", {}).get("value") or []
        if isinstance(leads, list) and len(leads) > 1:
            return row["id"], leads[0]
    raise AssertionError("no road leads to two others")


def _outcome(client: httpx.Client, given: httpx.Response) -> Any:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        order = client.get(f"/api/orders/{given.json()['id']}").json()["order"]
        if order["outcome"]:
            return order["outcome"]
        time.sleep(0.1)
    raise AssertionError("no outcome came")


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_STREET)
def test_the_field_carries_it_out_or_says_why_not_here(outcomes: Mapping[str, Any], name: str) -> None:
    outcome = outcomes[name]
    assert outcome.get("state") == "executed" or outcome["code"] in CANNOT_HERE.get(name, ()), outcome
