# SPDX-License-Identifier: Apache-2.0
"""The commands as a person types them: what they print, what they refuse and with which words."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scenarios.city import citybrain, free_port


def test_the_scenarios_that_are_installed_are_listed(tmp_path: Path) -> None:
    done = citybrain("scenarios", "--json", data=tmp_path)
    listed = {each["id"]: each for each in json.loads(done.stdout)}
    assert listed["ingolstadt21"]["signals"] == 21
    assert set(listed["cologne8"]["name"]) == {"zh", "en"}


def test_a_run_against_the_fixed_plans_gives_figures_for_machines(tmp_path: Path) -> None:
    done = citybrain("run", "cologne1", "--compare", "fixed", "--json", data=tmp_path)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)["figures"]
    for name in ("delay_s", "travel_time_s", "arrived", "delay_index"):
        assert figures[name]["ratio"] == pytest.approx(figures[name]["brain"] / figures[name]["fixed"])
    assert figures["delay_s"]["ratio"] <= 1.0, "the brain is at least as good as the shipped plan"
    assert "100 %" in done.stderr, "progress is told line by line where there is no terminal"


# fmt: off
REFUSED = [
    (("run", "atlantis"),                              1, "atlantis",   "a name nobody knows"),
    (("run", "cologne1", "--compare", "magic"),        2, "fixed",      "a comparison that does not exist"),
    (("run", "cologne1", "--seeds", "0"),              2, "seeds",      "no seeds at all"),
    (("up", "--scenario", "atlantis"),                 1, "atlantis",   "a scenario that is not there"),
    (("up", "--speed", "quickly"),                     1, "quickly",    "a speed that is no number"),
    (("up", "--speed", "0"),                           1, "max",        "a city that would stand still"),
    (("status", ),                                     1, "citybrain up", "no city to ask"),
    (("new", "app", "Not-A-Name"),                     1, "Not-A-Name", "an app that Python could not import"),
]
# fmt: on


@pytest.mark.parametrize(("words", "exit_code", "said", "why"), REFUSED)
def test_what_cannot_be_done_is_refused_in_one_message(
    words: tuple[str, ...], exit_code: int, said: str, why: str, tmp_path: Path
) -> None:
    done = citybrain(*words, data=tmp_path, CITYBRAIN_PORT=str(free_port()))
    assert done.returncode == exit_code, why
    assert said in done.stderr, why
    assert "Traceback" not in done.stderr, why


def test_a_broken_network_is_refused_with_the_simulators_own_words(tmp_path: Path) -> None:
    (tmp_path / "broken.net.xml").write_text("<net><edge")
    (tmp_path / "none.rou.xml").write_text("<routes/>")
    (tmp_path / "mine.sumocfg").write_text(
        '<configuration><input><net-file value="broken.net.xml"/><route-files value="none.rou.xml"/></input>'
        '<time><begin value="0"/><end value="10"/></time></configuration>'
    )
    done = citybrain("run", str(tmp_path / "mine.sumocfg"), data=tmp_path)
    assert done.returncode != 0
    assert "broken.net.xml" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["run", "up"])
def test_a_demand_that_does_not_fit_the_network_is_refused_with_the_simulators_own_words(
    command: str, new_folder: Callable[[], Path], unsignalled: Path
) -> None:
    folder = new_folder()
    shutil.copytree(unsignalled.parent, folder)
    (folder / "village.rou.xml").write_text('<routes><trip id="a" depart="0" from="nowhere" to="elsewhere"/></routes>')
    words = (str(folder / unsignalled.name),) if command == "run" else ("--scenario", str(folder / unsignalled.name))
    done = citybrain(command, *words, data=new_folder(), CITYBRAIN_PORT=str(free_port()))
    assert done.returncode != 0
    assert "nowhere" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_database_that_cannot_be_reached_is_named_without_its_password(tmp_path: Path) -> None:
    url = f"postgresql://somebody:secret@127.0.0.1:{free_port()}/city"
    done = citybrain("up", "--scenario", "cologne1", data=tmp_path, CITYBRAIN_DATABASE_URL=url)
    assert done.returncode == 1
    assert "127.0.0.1" in done.stderr
    assert "secret" not in done.stderr + done.stdout


def test_the_doctor_says_what_is_wrong_and_what_to_do(tmp_path: Path) -> None:
    url = f"postgresql://somebody@127.0.0.1:{free_port()}/city"
    done = citybrain("doctor", "--json", data=tmp_path, CITYBRAIN_DATABASE_URL=url, CITYBRAIN_PORT=str(free_port()))
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert done.returncode == 1
    assert not checks["database"]["ok"]
    assert checks["database"]["remedy"]
    assert checks["SUMO"]["ok"]
    assert checks["port"]["ok"]


def test_a_setting_that_cannot_be_is_refused_by_its_name(tmp_path: Path) -> None:
    done = citybrain("up", data=tmp_path, CITYBRAIN_PORT="many")
    assert done.returncode == 1
    assert "CITYBRAIN_PORT" in done.stderr


def test_words_follow_the_language(tmp_path: Path) -> None:
    done = citybrain("run", "atlantis", data=tmp_path, CITYBRAIN_LANG="zh")
    assert any("一" <= letter <= "鿿" for letter in done.stderr)
