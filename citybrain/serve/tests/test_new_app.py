# SPDX-License-Identifier: Apache-2.0
"""What `citybrain new app` writes, and what it refuses."""

from pathlib import Path

import pytest

from citybrain.serve.new_app import NewAppRefused, write_app


def test_in_a_checkout_the_app_is_a_folder_among_the_others(tmp_path: Path) -> None:
    (tmp_path / "citybrain" / "apps").mkdir(parents=True)
    folder = write_app("flood", tmp_path)
    assert folder == tmp_path / "citybrain" / "apps" / "flood"
    assert "from citybrain.apps.flood.model import" in (folder / "app.py").read_text()
    assert not (folder / "pyproject.toml").exists()


def test_elsewhere_it_is_a_package_with_an_entry_point(tmp_path: Path) -> None:
    folder = write_app("flood_gate", tmp_path)
    assert folder == tmp_path / "citybrain-flood-gate"
    assert 'flood_gate = "citybrain_flood_gate.app:APP"' in (folder / "pyproject.toml").read_text()
    assert (folder / "README.md").is_file()
    assert (folder / "citybrain_flood_gate" / "tests" / "test_rules.py").is_file()


@pytest.mark.parametrize("name", ["", "Flood", "1st", "flood-gate", "class", "kernel", "serve", "../up", "内涝"])
def test_a_name_that_python_or_the_city_cannot_use_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(NewAppRefused):
        write_app(name, tmp_path)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    write_app("flood", tmp_path)
    with pytest.raises(NewAppRefused):
        write_app("flood", tmp_path)
