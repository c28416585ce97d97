# SPDX-License-Identifier: Apache-2.0
"""A field in a process of its own, which may die."""

import asyncio
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

import msgspec
import numpy as np
import psutil
import pytest

from citybrain.doors.sumo.field import SumoField
from citybrain.doors.sumo.host import HostedSumoField, SimulatorDied
from citybrain.doors.sumo.simulation import SumoRefused
from citybrain.kernel.app import Frame, Opening, Scenario
from citybrain.kernel.clock import utc_now

from .conftest import BEGINS_AT


def opening(found: Scenario, state_path: str | None = None) -> Opening:
    return Opening(scenario=found, seed=1, begins_at=BEGINS_AT, obey=False, state_path=state_path)


async def steps(host: HostedSumoField, count: int) -> Frame:
    for _ in range(count - 1):
        await host.step(())
    return await host.step((), vehicles=True)


async def test_a_hosted_field_sees_what_a_field_sees(crossing: Scenario) -> None:
    host = HostedSumoField(opening(crossing))
    entities = await host.start()
    hosted = await steps(host, 30)
    await host.close()
    field = SumoField(opening(crossing))
    assert entities == field.entities()
    for _ in range(29):
        field.step(())
    direct = field.step((), vehicles=True)
    field.close()
    assert hosted.vehicles == direct.vehicles
    assert hosted.score == direct.score
    assert utc_now() - hosted.batch.received_at < timedelta(minutes=1)
    for ours, theirs in zip(hosted.batch.columns, direct.batch.columns, strict=True):
        assert (ours.attribute, ours.entity_ids) == (theirs.attribute, theirs.entity_ids)
        same = zip(ours.values, theirs.values, strict=True)
        assert all(np.array_equal(a, b, equal_nan=not isinstance(a, str | None)) for a, b in same)


async def test_ids_are_the_same_tuple_every_second(crossing: Scenario) -> None:
    host = HostedSumoField(opening(crossing))
    await host.start()
    first, second = await host.step(()), await host.step(())
    await host.close()
    pairs = zip(first.batch.columns, second.batch.columns, strict=True)
    assert all(a.entity_ids is b.entity_ids for a, b in pairs)


async def test_a_killed_simulator_is_said_to_be_dead_and_its_run_resumes(cologne: Scenario, tmp_path: Path) -> None:
    path = str(tmp_path / "state")
    host = HostedSumoField(opening(cologne))
    await host.start()
    saved = await steps(host, 120)
    await host.save(path)
    await steps(host, 10)
    assert host.pid is not None
    os.kill(host.pid, signal.SIGKILL)
    with pytest.raises(SimulatorDied) as died:
        await host.step(())
    assert died.value.code == "sumo.simulator_died"
    assert died.value.facts["exit_code"] == -signal.SIGKILL
    await host.close()

    again = HostedSumoField(opening(cologne, path))
    await again.start()
    resumed = await again.step(())
    await again.close()
    assert resumed.batch.observed_at == saved.batch.observed_at + timedelta(seconds=1)


async def test_what_sumo_says_against_a_city_comes_with_the_refusal(crossing_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.rou.xml").write_text('<routes><trip id="lost" depart="0" from="in#west" to="nowhere"/></routes>')
    (tmp_path / "a.sumocfg").write_text(
        f"<configuration><input><net-file value='{crossing_folder / 'crossing.net.xml'}'/>"
        "<route-files value='a.rou.xml'/></input><time><end value='60'/></time></configuration>"
    )
    found = Scenario(id="a", name={}, path=str(tmp_path / "a.sumocfg"), begin_s=0, end_s=60, timezone="UTC")
    host = HostedSumoField(opening(found))
    with pytest.raises(SumoRefused) as refused:
        await host.start()
    await host.close()
    assert refused.value.code == "sumo.refused"
    assert "nowhere" in str(refused.value.facts["detail"])


async def test_the_simulator_ends_when_its_city_is_killed(crossing: Scenario, tmp_path: Path) -> None:
    (tmp_path / "city.py").write_text(
        "import asyncio, sys, msgspec\n"
        "from citybrain.doors.sumo.host import HostedSumoField\n"
        "from citybrain.kernel.app import Opening\n"
        "async def live():\n"
        "    host = HostedSumoField(msgspec.json.decode(sys.argv[1].encode(), type=Opening))\n"
        "    await host.start()\n"
        "    print(host.pid, flush=True)\n"
        "    while True:\n"
        "        await host.step(())\n"
        "        await asyncio.sleep(0.1)\n"
        "if __name__ == '__main__':\n"
        "    asyncio.run(live())\n"
    )
    told = msgspec.json.encode(opening(crossing)).decode()
    command = (sys.executable, str(tmp_path / "city.py"), told)
    city = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert city.stdout is not None
    simulator = psutil.Process(int(await city.stdout.readline()))
    city.kill()
    await city.wait()
    _, alive = psutil.wait_procs([simulator], timeout=20)
    assert not alive


async def test_a_field_that_was_not_started_says_so(crossing: Scenario) -> None:
    host = HostedSumoField(opening(crossing))
    with pytest.raises(SimulatorDied) as refused:
        await host.step(())
    assert refused.value.code == "sumo.simulator_not_started"
    await host.close()
