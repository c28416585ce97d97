# SPDX-License-Identifier: Apache-2.0
"""A person brings a city from CityFlow's files: checked, kept, run, and opened with its entities in the pool."""

import json
from collections.abc import Callable
from pathlib import Path

import httpx

from citybrain.doors.sumo.importing import tests
from tests.scenarios.city import citybrain, free_port, running

DATA = Path(tests.__file__).parent / "data"
FILES = (str(DATA / "roadnet.json"), str(DATA / "flow.json"))
IMPORT = ("import", "cityflow", *FILES, "--name", "two", "--place", "109.12,21.48", "--attribution", "by hand, CC0")


def test_a_dry_run_tells_and_writes_nothing(tmp_path: Path) -> None:
    done = citybrain(*IMPORT, "--dry-run", data=tmp_path)
    assert done.returncode == 0, done.stderr
    for said in ("signal controllers: 2", "departures per hour: 0 h: 332", "[3] w->A → nowhere", "nothing was written"):
        assert said in done.stdout
    assert "two" not in citybrain("scenarios", "--json", data=tmp_path).stdout


def test_an_imported_city_is_listed_run_and_opened_with_its_entities_in_the_pool(
    new_folder: Callable[[], Path],
) -> None:
    folder = new_folder()
    done = citybrain(*IMPORT, "--json", data=folder)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert Path(report["folder"]) == folder / "scenarios" / "two"
    listed = {each["id"]: each for each in json.loads(citybrain("scenarios", "--json", data=folder).stdout)}
    assert (listed["two"]["signals"], listed["two"]["attribution"]) == (2, "by hand, CC0")
    ran = citybrain("run", "two", "--json", data=folder)
    assert ran.returncode == 0, ran.stderr
    with running(folder, scenario="two") as city:
        pool = f"{city.url}/ngsi-ld/v1/entities"
        signals = httpx.get(pool, params={"type": "TrafficSignalController", "format": "simplified"}).json()
        assert len(signals) == 2
        assert not any("controlDefault" in signal for signal in signals), "they start in shadow"
        assert len(httpx.get(pool, params={"type": "RoadSegment", "limit": 100}).json()) == 14


def test_entities_go_into_a_city_that_runs(new_folder: Callable[[], Path]) -> None:
    variables = {"CITYBRAIN_PUBLIC_MAY": "ngsild.read,ngsild.write"}
    with running(new_folder(), scenario="none", variables=variables) as city:
        done = citybrain(*IMPORT, "--to-pool", "--url", city.url, data=new_folder())
        assert done.returncode == 0, done.stderr
        assert "entities are in the pool" in done.stderr
        pool = f"{city.url}/ngsi-ld/v1/entities"
        assert len(httpx.get(pool, params={"type": "TrafficSignalController"}).json()) == 2


def test_what_cannot_be_imported_is_told_in_one_message(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text('{"roads": [{"id": 7}], "intersections": []}')
    (tmp_path / "a.osm.pbf").write_bytes(b"packed")
    broken, packed, nowhere = (str(tmp_path / name) for name in ("broken.json", "a.osm.pbf", "none"))
    # fmt: off
    refused = [
        (("cityflow", broken, FILES[1]),                              1, "$.roads[0].id"),
        (("osm", packed),                                             1, "osmium cat a.osm.pbf -o a.osm.gz"),
        (("sumo", nowhere),                                           1, "none"),
        (("cityflow", *FILES, "--place", "here"),                     1, "LON,LAT"),
        (("cityflow", *FILES, "--timezone", "Mars/Olympus"),          1, "Mars/Olympus"),
        (("cityflow", FILES[0]),                                      2, "FLOW"),
        (("cityflow", *FILES, "--name", "../two"),                    1, "../two"),
    ]
    # fmt: on
    for words, exit_code, said in refused:
        done = citybrain("import", *words, data=tmp_path / "data", CITYBRAIN_PORT=str(free_port()))
        assert (done.returncode, said in done.stderr) == (exit_code, True), (words, done.stderr)
        assert "Traceback" not in done.stderr


def test_an_error_in_the_files_is_told_with_its_place_and_stops(tmp_path: Path) -> None:
    net = json.loads(Path(FILES[0]).read_text())
    net["roads"][0]["endIntersection"] = "moon"
    (tmp_path / "roadnet.json").write_text(json.dumps(net))
    done = citybrain("import", "cityflow", str(tmp_path / "roadnet.json"), FILES[1], "--name", "two", data=tmp_path)
    assert done.returncode == 1
    assert "A->w → moon" in done.stdout
    assert "Nothing was written" in done.stdout
