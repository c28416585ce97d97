# SPDX-License-Identifier: Apache-2.0
"""The judge adds up what RESCO adds up."""

from pathlib import Path

import pytest

from citybrain.doors.sumo.host import HostedSumoField
from citybrain.doors.sumo.judge import Trips, read_trips
from citybrain.kernel.app import Opening, Scenario, Score

from .conftest import BEGINS_AT, plain_sumo

TRIPS = """<tripinfos>
  <tripinfo id="came"   depart="10.0" departDelay="2.0"  arrival="60.0" duration="50.0" timeLoss="20.0"/>
  <tripinfo id="drives" depart="70.0" departDelay="0.0"  arrival="-1.0" duration="30.0" timeLoss="6.0"/>
  <tripinfo id="waits"  depart="-1"   departDelay="40.0" arrival="-1.0" duration="0.0"  timeLoss="0.0"/>
</tripinfos>"""


def test_delay_counts_those_who_came_who_drive_and_who_wait_to_enter(tmp_path: Path) -> None:
    (tmp_path / "trips.xml").write_text(TRIPS)
    figures = read_trips(tmp_path / "trips.xml").figures()
    assert figures == {
        "delay_s": pytest.approx((20 + 2 + 6 + 0 + 0 + 40) / 3),
        "travel_time_s": pytest.approx((50 + 30) / 2),
        "delay_index": pytest.approx(80 / (80 - 26)),
        "due": 3,
        "departed": 2,
        "arrived": 1,
    }


def test_a_run_without_trips_lost_nothing() -> None:
    assert Trips().figures() == {
        "delay_s": 0.0,
        "travel_time_s": 0.0,
        "delay_index": 1.0,
        "due": 0,
        "departed": 0,
        "arrived": 0,
    }


async def run(host: HostedSumoField) -> Score:
    await host.start()
    while not (frame := await host.step(())).finished:
        pass
    assert frame.score is not None
    return frame.score


@pytest.mark.parametrize("name", ["cologne", "crossing"])
async def test_a_street_that_obeys_nobody_runs_as_sumo_itself_runs_it(
    request: pytest.FixtureRequest, tmp_path: Path, name: str
) -> None:
    found: Scenario = request.getfixturevalue(name)
    host = HostedSumoField(Opening(scenario=found, seed=3, begins_at=BEGINS_AT, obey=False))
    live = await run(host)
    summary = dict(await host.summary())
    await host.close()
    assert summary.pop("simulated_s") == found.end_s - found.begin_s
    beside = [summary.pop(name) for name in ("violations", "first_violations", "locked_in")]
    assert beside == [0, [], 0], "the shipped plan breaks none of its own rules, and nobody is locked in"
    assert summary == pytest.approx(read_trips(plain_sumo(found, tmp_path, seed=3)).figures(), abs=1e-9)
    live_s = live.delay_arrived_s + live.delay_running_s + live.delay_waiting_s
    assert live_s / live.due == pytest.approx(summary["delay_s"], abs=0.01)
    assert (live.due, live.arrived) == (summary["due"], summary["arrived"])
    assert live.due == live.arrived + live.running + live.waiting


def test_every_vehicle_of_the_demand_that_was_to_depart_is_due(cologne: Scenario, tmp_path: Path) -> None:
    demand = Path(cologne.path).with_name("cologne1.rou.xml").read_text()
    departs = [float(part.split('"')[0]) for part in demand.split('depart="')[1:]]
    due = sum(cologne.begin_s <= depart < cologne.end_s for depart in departs)
    assert read_trips(plain_sumo(cologne, tmp_path)).due == due == 2015
