# SPDX-License-Identifier: Apache-2.0
"""Names say what a thing is, and every piece fits into a head."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import ROOT, files, modules, parts, refuse

BANNED_FILES = {"utils", "util", "common", "misc", "base", "core", "helpers", "helper"}
BANNED_CLASSES = re.compile(r"Manager|Factory|Helper|Util|Processor|Handler|Wrapper|^Base|^Abstract|Impl$")
LONGEST_FILE = 400
LONGEST_FUNCTION = 60
SPDX = "# SPDX-License-Identifier: Apache-2.0"
PURE = {"model", "detect", "decide", "control", "choice", "index", "measure", "learn"}
ROOMS = PURE | {"app", "store", "service", "api", "jobs", "commands"}
BESIDE_ROOMS = {"migrations", "i18n", "seed", "tests", "README.md", "scale.yaml", "__init__.py", "__pycache__"}
QUERIES = re.compile(r"queries\w*\.sql")
PLACES = ("citybrain", "tests", "web/e2e", "bench", "docs")


def complaints(root: Path) -> list[str]:
    """What in this tree has a bad name, is too long, or lies where nobody would look for it."""
    found = [f"{path.relative_to(root)}: {what}" for place in PLACES for path, what in _bad_modules(root / place)]
    found += [f"{path.relative_to(root)}: no such room in an app" for path in _strange_rooms(root)]
    found += [f"{folder.relative_to(root)}: tests without __init__.py" for folder in _tests_outside_packages(root)]
    return sorted(found)


def _bad_modules(place: Path) -> Iterator[tuple[Path, str]]:
    for path, module in modules(place):
        lines = path.read_text(encoding="utf-8").splitlines()
        if path.stem in BANNED_FILES:
            yield path, "file name says nothing"
        if len(lines) > LONGEST_FILE:
            yield path, f"{len(lines)} lines, {LONGEST_FILE} at most"
        if not lines or lines[0] != SPDX:
            yield path, "no SPDX line"
        if ast.get_docstring(module) is None and "tests" not in path.parts:
            yield path, "no module docstring"
        for what in _bad_definitions(module):
            yield path, what


def _bad_definitions(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.ClassDef) and BANNED_CLASSES.search(node.name):
            yield f"class {node.name} says nothing"
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > LONGEST_FUNCTION:
                yield f"function {node.name} has {length} lines, {LONGEST_FUNCTION} at most"


def _strange_rooms(root: Path) -> Iterator[Path]:
    for folder in parts(root, "apps"):
        for path in folder.iterdir():
            is_room = path.stem in ROOMS and (path.suffix == ".py" or path.is_dir())
            if not is_room and path.name not in BESIDE_ROOMS and not QUERIES.fullmatch(path.name):
                yield path


def _tests_outside_packages(root: Path) -> Iterator[Path]:
    """The boundaries are only checked for packages, so the tests of an app must be one."""
    folders = {path.parent for path in files(root / "citybrain", ".py") if path.name.startswith("test_")}
    yield from (folder for folder in sorted(folders) if not (folder / "__init__.py").exists())


def test_names_say_what_a_thing_is_and_every_piece_fits_into_a_head() -> None:
    refuse(complaints(ROOT))
