# SPDX-License-Identifier: Apache-2.0
"""Somebody else's app: written by `citybrain new app`, installed as a package, found without editing a list."""

import subprocess
import sys
from pathlib import Path

import pytest

from citybrain.serve.new_app import write_app
from tests.architecture.tree import ROOT

pytestmark = pytest.mark.slow

NAMES = "from citybrain.serve import catalog; print(*(app.name for app in catalog.apps()))"


def run(*command: str, cwd: Path, site: Path) -> subprocess.CompletedProcess[str]:
    env = {"PYTHONPATH": f"{site}:{ROOT}", "PATH": "/usr/bin:/bin", "HOME": str(cwd)}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The app as its author has it on disk."""
    return write_app("gauges", tmp_path_factory.mktemp("author"))


@pytest.fixture(scope="module")
def site(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of installed packages with the app in it."""
    target = tmp_path_factory.mktemp("site")
    uv = str(Path(sys.executable).parent / "uv")
    install = [uv, "pip", "install", "--offline", "--no-deps", "--no-build-isolation", "--python", sys.executable]
    done = run(*install, "--target", str(target), str(package), cwd=package, site=target)
    assert done.returncode == 0, done.stderr
    return target


def test_an_installed_app_is_found_beside_our_own(site: Path, tmp_path: Path) -> None:
    done = run(sys.executable, "-c", NAMES, cwd=tmp_path, site=site)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == "gauges"


def test_the_skeleton_passes_its_own_tests(package: Path, site: Path) -> None:
    done = run(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", cwd=package, site=site)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_installed_app_that_is_broken_stops_the_start_and_is_named(tmp_path: Path) -> None:
    info = tmp_path / "ruin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ruin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[citybrain.apps]\nruin = ruin.app:APP\n")
    done = run(sys.executable, "-c", NAMES, cwd=tmp_path, site=tmp_path)
    assert done.returncode != 0
    assert "BrokenPart" in done.stderr
    assert "'entry_point': 'ruin'" in done.stderr
