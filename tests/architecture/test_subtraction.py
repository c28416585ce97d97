# SPDX-License-Identifier: Apache-2.0
"""Every app and every door can be taken away, and what remains is still a city."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.tree import NOT_OURS, ROOT, parts

# What others wrote is imported once, by the process that is divided for each case; what is ours, in each case anew.
WHAT_REMAINS = """
import json, os, pkgutil, sys, traceback
from contextlib import suppress
from importlib import import_module

def what_remains():
    import citybrain
    from citybrain.serve import catalog

    for package in ("citybrain.kernel", "citybrain.serve"):
        for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
            if ".tests" not in module.name:
                import_module(module.name)
    assert catalog.words().of("zh")
    return [citybrain.__file__, *sorted(part.name for part in (*catalog.apps(), *catalog.doors()))]

reading, writing = os.pipe()
if os.fork() == 0:
    what_remains()
    os.write(writing, " ".join(name for name in sys.modules if not name.startswith("citybrain")).encode())
    os._exit(0)
os.close(writing)
with os.fdopen(reading) as names:
    for name in names.read().split():
        with suppress(ImportError):
            import_module(name)
os.wait()
assert not [name for name in sys.modules if name.startswith("citybrain")]
for _ in sys.stdin:
    if os.fork() == 0:
        try:
            told = {"found": what_remains()}
        except BaseException:
            told = {"failed": traceback.format_exc()}
        print(json.dumps(told), flush=True)
        os._exit(0)
    os.wait()
"""


def _cases() -> Iterator[tuple[str, list[Path]]]:
    """What is taken away, by name."""
    apps, doors = parts(ROOT, "apps"), parts(ROOT, "doors")
    yield "nothing", []
    yield "all apps", apps
    yield "all doors", doors
    yield "all apps and doors", apps + doors
    yield from ((folder.relative_to(ROOT / "citybrain").as_posix(), [folder]) for folder in apps + doors)


CASES = list(_cases())


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package."""
    copy = tmp_path_factory.mktemp("city")
    shutil.copytree(ROOT / "citybrain", copy / "citybrain", ignore=shutil.ignore_patterns(*NOT_OURS))
    return copy


@pytest.fixture(scope="module")
def process(city: Path) -> Iterator["subprocess.Popen[str]"]:
    """Tells with each line that it is given what remains in the copy at that moment."""
    command, pipe = [sys.executable, "-c", WHAT_REMAINS], subprocess.PIPE
    environment = {"PYTHONPATH": str(city)}
    with subprocess.Popen(command, cwd=city, env=environment, text=True, stdin=pipe, stdout=pipe) as started:
        yield started
        assert started.stdin is not None
        started.stdin.close()


@pytest.mark.slow
@pytest.mark.parametrize(("what", "folders"), CASES, ids=[what for what, _ in CASES])
def test_the_city_stands_without(
    what: str, folders: list[Path], city: Path, process: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    for folder in folders:
        shutil.move(city / folder.relative_to(ROOT), tmp_path / f"{folder.parent.name}-{folder.name}")
    try:
        process.stdin.write("\n")
        process.stdin.flush()
        told = json.loads(process.stdout.readline())
    finally:
        for folder in folders:
            shutil.move(tmp_path / f"{folder.parent.name}-{folder.name}", city / folder.relative_to(ROOT))
    assert "failed" not in told, f"without {what}:\n{told['failed']}"
    where, *names = told["found"]
    assert Path(where).is_relative_to(city), "the copy was not what ran"
    assert names == sorted(part.name for part in [*parts(ROOT, "apps"), *parts(ROOT, "doors")] if part not in folders)
