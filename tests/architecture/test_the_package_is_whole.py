# SPDX-License-Identifier: Apache-2.0
"""What is installed is what runs: the wheel has the words, tables and pages, and no tests."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import hatch_build
from tests.architecture.tree import ROOT, files

STATIC = ROOT / "citybrain" / "static"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the files in a wheel that is built from this tree, with the pages that are there."""
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    env = {"PATH": os.defpath, "CITYBRAIN_SKIP_WEB": "1"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (path,) = target.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


@pytest.mark.slow
def test_the_wheel_has_what_the_program_reads(wheel: set[str]) -> None:
    read = {path.relative_to(ROOT).as_posix() for path in files(ROOT / "citybrain", ".py", ".sql", ".json", ".txt")}
    assert {name for name in read if "/tests/" not in name} <= wheel


@pytest.mark.slow
def test_the_wheel_has_no_tests(wheel: set[str]) -> None:
    # The skeleton of a new app has tests, which are text here.
    assert {name for name in wheel if "/tests/" in name and not name.endswith(".txt")} == set()


@pytest.mark.slow
def test_the_wheel_has_the_pages_when_they_are_built(wheel: set[str]) -> None:
    if not STATIC.exists():
        pytest.skip("the web front end is not built here: make web")
    pages = {path.relative_to(ROOT).as_posix() for path in STATIC.rglob("*") if path.is_file()}
    assert "citybrain/static/index.html" in pages
    assert pages <= wheel


def a_tree(root: Path) -> Path:
    """A tree with web sources and a build of them."""
    (root / "web" / "src").mkdir(parents=True)
    (root / "web" / "package.json").write_text("{}")
    (root / "web" / "src" / "main.ts").write_text("1")
    (root / "citybrain" / "static").mkdir(parents=True)
    (root / hatch_build.STAMP).write_text(hatch_build.sources_hash(root / "web"))
    return root


def test_pages_are_built_again_only_when_their_sources_changed(tmp_path: Path) -> None:
    root = a_tree(tmp_path)
    assert hatch_build.is_built(root)
    (root / "web" / "src" / "main.ts").touch()
    assert hatch_build.is_built(root)
    (root / "web" / "src" / "main.ts").write_text("2")
    assert not hatch_build.is_built(root)


def test_what_is_installed_or_tested_beside_the_sources_builds_nothing_anew(tmp_path: Path) -> None:
    root = a_tree(tmp_path)
    (root / "web" / "node_modules").mkdir()
    (root / "web" / "node_modules" / "vue.js").write_text("3")
    assert hatch_build.is_built(root)


def test_a_tree_without_web_sources_brings_its_build(tmp_path: Path) -> None:
    (tmp_path / "citybrain" / "static").mkdir(parents=True)
    assert not hatch_build.is_built(tmp_path)
    (tmp_path / hatch_build.STAMP).write_text("anything")
    assert hatch_build.is_built(tmp_path)
