# SPDX-License-Identifier: Apache-2.0
"""`citybrain pool` on a data folder on which nothing works, and on one on which a city does."""

from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner, Result

from citybrain.kernel import embedded
from citybrain.kernel.entities.document import AttributeType, Instance
from citybrain.kernel.pool.retention import Policy
from citybrain.kernel.pool.temporal_reading import Given
from citybrain.kernel.settings import Settings
from citybrain.serve.cli import commands_for
from citybrain.serve.pool_commands import CityRuns
from citybrain.serve.pool_remote import CityRefused, Remote, payload
from tests.peer import peer

COMMANDS = commands_for(["pool"])

HEAD = "id,type,attribute,observed_at,value\n"
GIVEN = Given(
    id="urn:s:1",
    types=("Sensor",),
    instances=(
        ("x", Instance(type=AttributeType.PROPERTY, value=1, unit_code="CEL", observed_at="2026-05-01T12:00:00Z")),
    ),
)


@pytest.fixture
def folder(fresh_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CITYBRAIN_DATA", str(fresh_settings.data))
    monkeypatch.setenv("CITYBRAIN_LANG", "en")
    return fresh_settings.data


def call(*words: str | Path) -> Result:
    return CliRunner().invoke(COMMANDS, ["pool", *map(str, words)])


def test_a_file_goes_in_and_comes_out_and_refused_rows_are_told_in_both_languages(folder: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text(HEAD + "urn:s:1,Sensor,x,2026-05-01T12:00:00Z,1\nurn:s:1,Sensor,x,noon,2\n")
    trial = call("import", rows, "--dry-run")
    assert "1 rows can be taken, 1 would be refused" in trial.stdout
    taken = call("import", rows)
    assert (taken.exit_code, "1 rows taken, 1 refused" in taken.stdout) == (1, True)
    (refused,) = [msgspec.json.decode(line) for line in (tmp_path / "rows.csv.refused.jsonl").read_bytes().splitlines()]
    assert (refused["line"], refused["code"]) == (3, "kernel.row_bad_time")
    assert refused["zh"] != refused["en"]
    assert call("export", tmp_path / "all.csv").exit_code == 0
    assert "urn:s:1,Sensor,x" in (tmp_path / "all.csv").read_text()
    assert call("keep", "Sensor", "30", "--then-every", "PT1H", "--then-days", "365").exit_code == 0
    kept = msgspec.json.decode(call("policies", "--json").stdout, type=list[Policy])
    assert kept == [Policy(type="Sensor", raw_days=30, period_s=3600, figures_days=365)]


def test_a_folder_on_which_a_city_works_is_left_alone_and_what_to_do_is_said(folder: Path, tmp_path: Path) -> None:
    claim = embedded.Claim(folder)
    refusal = call("export", tmp_path / "all.csv").exception
    claim.release()
    assert isinstance(refusal, CityRuns)
    assert refusal.facts["folder"] == str(folder)


def test_an_evolution_is_sent_as_the_temporal_api_takes_it() -> None:
    assert payload(GIVEN) == {
        "id": "urn:s:1",
        "type": "Sensor",
        "x": [{"type": "Property", "value": 1, "unitCode": "CEL", "observedAt": "2026-05-01T12:00:00Z"}],
    }


async def test_a_city_that_does_not_take_it_is_named_with_what_it_said() -> None:
    said = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"
    async with peer([said]) as there, Remote(there.url, token="secret", tenant="") as remote:
        with pytest.raises(CityRefused) as refused:
            await remote.take([GIVEN])
    assert refused.value.facts == {"id": "urn:s:1", "why": "403 no"}
