# SPDX-License-Identifier: Apache-2.0
"""A signal goes dark in a running city: it is found, a playbook acts, officers decide the rest, a kill is no harm."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.scenarios.city import RunningCity, eventually, running, start
from tests.scenarios.test_orders_of_people import code_of, officers, signed_in

SIGNAL = "GS_cluster_357187_359543"
DARK = json.dumps([{"kind": "dark_signal", "signal": SIGNAL, "begin_s": 30, "duration_s": 3000}])
GOES_DARK = {"CITYBRAIN_INCIDENTS": DARK}

__all__ = ["officers"]


@pytest.fixture(scope="module")
def city(officers: Callable[[], Path]) -> Iterator[RunningCity]:
    with running(officers(), speed="10", variables=GOES_DARK) as one:
        yield one


def runs(who: httpx.Client, **asked: str) -> Any:
    return who.get("/api/operations/runs", params=asked).raise_for_status().json()


def of_dark(found: Any) -> Any:
    return [each for each in found if each["kind"] == "traffic.signal_dark"]


def run_of(who: httpx.Client, kind: str) -> Any:
    """The first run for a kind of event, once its first line was carried out."""

    def found() -> Any:
        first = [each for each in runs(who) if each["kind"] == kind][-1:]
        return first and first[0]["lines"][0]["state"] in ("executed", "checked") and first[0]

    return eventually(found, within_s=120)


def test_what_the_machine_may_do_is_done_and_the_order_leads_back_to_the_event(city: RunningCity) -> None:
    with signed_in(city, "ann") as ann:
        run = run_of(ann, "traffic.signal_dark")
        assert (run["playbook"], run["lines"][0]["means"]) == ("traffic.signal-dark", "people.send_signal_repair")
        story = ann.get(f"/api/operations/runs/{run['id']}").raise_for_status().json()
        order = story["lines"][0]["order"]
        assert order["proposed_by"] == "brain"
        assert order["because"]["event_id"] == run["event_id"]
        assert [order["because"]["facts"][name] for name in ("playbook", "version", "line")] == [
            "traffic.signal-dark",
            1,
            1,
        ]
        assert ann.get(f"/api/alarms/{run['event_id']}").raise_for_status().json()["kind"] == "traffic.signal_dark"


def test_what_moves_people_waits_for_an_officer_and_only_the_first_one_decides(city: RunningCity) -> None:
    with signed_in(city, "ann") as ann, signed_in(city, "bob") as bob:
        run = run_of(ann, "traffic.signal_dark")
        proposed = next(each for each in run["lines"] if each["state"] == "proposed")
        address = f"/api/operations/runs/{run['id']}/lines/{proposed['number']}"
        confirmed = ann.post(address, json={"act": "confirm"}).raise_for_status().json()
        line = next(each for each in confirmed["lines"] if each["number"] == proposed["number"])
        assert (line["confirmed_by"], line["order"]["proposed_by"]) == ("ann", "ann")
        assert code_of(bob.post(address, json={"act": "confirm"}), 409) == "operations.line_not_proposed"
        assert code_of(bob.post(address, json={"act": "skip"}), 409) == "operations.line_not_skippable"


def test_a_marked_playbook_is_put_in_force_by_two_officers_after_a_trial(city: RunningCity) -> None:
    body = {
        "id": "dark.two",
        "name": {"zh": "两人", "en": "Two"},
        "when": {"kinds": ["traffic.signal_dark"], "severities": ["I", "II", "III", "IV"]},
        "lines": [{"number": 1, "means": "evidence.inspect", "approval": "two"}],
    }
    with signed_in(city, "ann") as ann, signed_in(city, "bob") as bob:
        run_of(ann, "traffic.signal_dark")
        tried = ann.post("/api/operations/playbooks/dry-run", json={"playbook": body}).raise_for_status().json()
        assert tried["matched"] >= 1
        assert tried["would_wait"] == tried["won"] >= 1
        assert ann.put("/api/operations/playbooks/dark.two", json=body).raise_for_status().json()["state"] == "draft"
        address = "/api/operations/playbooks/dark.two/activate"
        assert ann.post(address, json={}).raise_for_status().json()["activation"]["by"] == "ann"
        assert code_of(ann.post(address, json={}), 403) == "operations.playbook_needs_other_person"
        assert bob.post(address, json={}).raise_for_status().json()["active"] == 1
        assert bob.post("/api/operations/playbooks/dark.two/retire").raise_for_status().json()["active"] is None


def test_a_city_that_is_killed_after_its_order_sends_nobody_twice(officers: Callable[[], Path]) -> None:
    folder = officers()
    first = start(folder, speed="10", variables=GOES_DARK)
    with signed_in(first, "ann") as ann:
        before = eventually(lambda: of_dark(runs(ann)), within_s=120)[0]
    first.kill()
    again = start(folder, speed="10", variables=GOES_DARK)
    try:
        with signed_in(again, "ann") as ann:

            def settled() -> Any:
                line = ann.get(f"/api/operations/runs/{before['id']}").json()["lines"][0]
                return line["state"] in ("executed", "checked") and line

            line = eventually(settled, within_s=120)
            # Long enough for the detectors, which begin anew, to find it again.
            until = datetime.fromisoformat(again.get("/api/status")["city_time"]) + timedelta(minutes=4)
            eventually(lambda: datetime.fromisoformat(again.get("/api/status")["city_time"]) > until, within_s=120)
            orders = ann.get("/api/orders", params={"means": "people.send_signal_repair"}).json()
            assert [each["id"] for each in orders] == [line["order_id"]]
    finally:
        again.stop()
