# SPDX-License-Identifier: Apache-2.0
"""A rule that cannot fail is a wish: each is broken once in a copy of the tree, and each must say so."""

import functools
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.architecture import (
    test_both_languages_say_the_same_things,
    test_docs_say_what_is,
    test_locks_fulfil_the_project,
    test_names_and_sizes,
    test_parts_tell_of_themselves,
    test_sql_touches_only_its_own_tables,
    test_web_apps_match,
    test_words_hygiene,
)
from tests.architecture.tree import NOT_OURS, ROOT

pytestmark = pytest.mark.slow

Rule = Callable[[Path], list[str]]

BIN = Path(sys.executable).parent
HEAD = '# SPDX-License-Identifier: Apache-2.0\n"""A plant."""\n\n'
KEPT = {"__init__.py", "app.py", "door.py", "records.py", "errors.py"}
A_FUNCTION = "def long() -> None:\n" + "    print()\n" * 60

# Imports that the boundaries must refuse: the contract, the file that breaks it, the import.
# fmt: off
IMPORTS = [
    ("serve -> apps | doors -> kernel, never back", "kernel/planted_up.py",        "from citybrain.serve import catalog"),
    ("serve -> apps | doors -> kernel, never back", "kernel/planted_app.py",       "import citybrain.apps.left"),
    ("serve -> apps | doors -> kernel, never back", "kernel/planted_lazy.py",      "def f() -> None:\n    import citybrain.doors.inlet"),
    ("serve -> apps | doors -> kernel, never back", "kernel/planted_typing.py",    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import citybrain.serve"),
    ("serve -> apps | doors -> kernel, never back", "apps/left/app.py",            "import citybrain.doors.inlet.door"),
    ("serve -> apps | doors -> kernel, never back", "doors/inlet/feed.py",         "import citybrain.apps.left.app"),
    ("serve -> apps | doors -> kernel, never back", "apps/left/tests/test_api.py", "from citybrain.serve import catalog"),
    ("apps do not know each other",                 "apps/left/store.py",          "import citybrain.apps.right.model"),
    ("doors do not know each other",                "doors/inlet/door.py",         "import citybrain.doors.outlet.codec"),
    ("inside an app",                               "apps/right/model.py",         "import citybrain.apps.right.app"),
    ("inside an app",                               "apps/right/store.py",         "import citybrain.apps.right.service"),
    ("models, rules and codecs are pure",           "apps/left/detect.py",         "import asyncio"),
    ("models, rules and codecs are pure",           "apps/left/control.py",        "import libsumo"),
    ("models, rules and codecs are pure",           "apps/right/measure.py",       "import citybrain.kernel.db"),
    ("models, rules and codecs are pure",           "doors/outlet/codec.py",       "import litestar"),
    ("the web framework stays at the edge",         "apps/right/service.py",       "import litestar"),
    ("only kernel.db speaks to the driver",         "apps/left/jobs.py",           "import psycopg"),
    ("only kernel.db speaks to the driver",         "serve/planted_driver.py",     "import sqlite3"),
    ("kernel modules form no cycles",               "kernel/planted_chicken.py",   "import citybrain.kernel.planted_egg"),
    ("kernel modules form no cycles",               "kernel/planted_egg.py",       "import citybrain.kernel.planted_chicken"),
]

# Code that ruff must refuse, by the rule that does.
STYLE = [
    ("TID251",  "from datetime import datetime\n\nNOW = datetime.now()"),
    ("TID251",  "import time\n\nNOW = time.time()"),
    ("TID251",  "import os\n\nHOME = os.environ['HOME']"),
    ("TID251",  "import random\n\nLUCK = random.random()"),
    ("TID251",  "from unittest.mock import Mock\n\nTWIN = Mock()"),
    ("TID251",  "import psycopg\n\nDRIVER = psycopg"),
    ("BLE001",  "try:\n    print()\nexcept Exception:\n    pass"),
    ("PLR0913", "def f(a: int, b: int, c: int, d: int, e: int, f: int, g: int) -> None: ..."),
    ("C901",    "def f(n: int) -> None:\n" + "".join(f"    if n == {n}:\n        n += 1\n" for n in range(9))),
    ("T201",    "print('said')"),
    ("N801",    "class lower:\n    pass"),
    ("ERA001",  "# x = f(1)\nX = 1"),
]

# One file per rule of the tree: the rule, the file, its content, what the rule must say.
TREE: list[tuple[Rule, str, str, str]] = [
    (test_names_and_sizes.complaints, "citybrain/kernel/utils.py",         HEAD,                               "file name says nothing"),
    (test_names_and_sizes.complaints, "citybrain/kernel/planted.py",       HEAD + "class LoanManager: ...\n",  "class LoanManager"),
    (test_names_and_sizes.complaints, "citybrain/kernel/planted.py",       HEAD + "class AbstractLoan: ...\n", "class AbstractLoan"),
    (test_names_and_sizes.complaints, "citybrain/kernel/planted.py",       HEAD + "x = 1\n" * 400,            "lines, 400 at most"),
    (test_names_and_sizes.complaints, "citybrain/kernel/planted.py",       HEAD + A_FUNCTION,                  "function long has 61 lines"),
    (test_names_and_sizes.complaints, "citybrain/kernel/planted.py",       '"""No licence."""\n',              "no SPDX line"),
    (test_names_and_sizes.complaints, "citybrain/kernel/planted.py",       HEAD.splitlines()[0] + "\nx = 1\n", "no module docstring"),
    (test_names_and_sizes.complaints, "citybrain/apps/left/extras.py",     HEAD,                               "no such room"),
    (test_names_and_sizes.complaints, "citybrain/doors/inlet/tests/test_feed.py", HEAD,                        "tests without __init__.py"),
    (test_sql_touches_only_its_own_tables.complaints, "citybrain/apps/left/queries.sql", "SELECT * FROM right_item", "touches right_item"),
    (test_sql_touches_only_its_own_tables.complaints, "citybrain/apps/left/migrations/0001_x.sql", "CREATE TABLE item ()", "touches item"),
    (test_sql_touches_only_its_own_tables.complaints, "citybrain/apps/left/queries.sql", "WITH a AS (SELECT * FROM left_a) SELECT * FROM a JOIN entity USING (id)", "touches entity"),
    (test_sql_touches_only_its_own_tables.complaints, "citybrain/apps/left/queries.sql", "SELECT * FROM left_a ORDER BY at <-> point(1, 2)", "spatial SQL"),
    (test_sql_touches_only_its_own_tables.complaints, "citybrain/apps/left/store.py", HEAD + 'Q = "SELECT id FROM left_a WHERE 1"\n', "SQL outside a queries file"),
    (test_both_languages_say_the_same_things.complaints, "citybrain/apps/left/i18n/zh.json", '{"left.a": "甲"}', "in one language only"),
    (test_both_languages_say_the_same_things.complaints, "citybrain/apps/left/service.py", HEAD + 'raise NotFound("left.gone", {"id": 1})\n', "left.gone is said and has no words"),
    (test_both_languages_say_the_same_things.complaints, "citybrain/apps/left/service.py", HEAD + 'NEXT = {"a": "left.moved"}\n', "left.moved has no words"),
    (test_both_languages_say_the_same_things.complaints, "citybrain/apps/left/service.py", HEAD + 'raise BrokenPart("serve.broken_part", {"detail": 1})\n', "says more than its facts"),
    (test_words_hygiene.complaints,   "docs/planted.md",                   "See /ro" + "ot/city",              "path of a machine"),
    (test_words_hygiene.complaints,   "docs/planted.md",                   "from py" + "pi.org",               "host of a package registry"),
    (test_words_hygiene.complaints,   "docs/planted.md",                   "fixes #" + "12",                   "number of an issue"),
    (test_words_hygiene.complaints,   "docs/planted.md",                   "TO" + "DO later",                  "work in hand"),
    (test_web_apps_match.complaints,  "citybrain/apps/left/__init__.py",   HEAD,                               "left has no face"),
    (test_web_apps_match.complaints,  "web/src/apps/ghost/index.ts",       "",                                 "ghost has no app"),
    (test_web_apps_match.complaints,  "web/src/doors/ghost/index.ts",      "",                                 "ghost has no door"),
    (test_docs_say_what_is.dead_links, "docs/planted.md",                  "[gone](gone.md)",                  "gone.md does not exist"),
    (test_parts_tell_of_themselves.complaints, "citybrain/apps/left/model.py", HEAD,                           "left: no README.md"),
    (test_parts_tell_of_themselves.complaints, "citybrain/apps/left/scale.yaml", "own_tables_only: maybe\n",   "neither done, todo nor exempt"),
    (test_locks_fulfil_the_project.undeclared_imports, "citybrain/kernel/planted.py", HEAD + "import pytest\n", "imports pytest"),
]
# fmt: on


def test_no_boundary_has_an_exception() -> None:
    assert "ignore_imports" not in (ROOT / "pyproject.toml").read_text()


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the rules read."""
    copy = tmp_path_factory.mktemp("pristine")
    ignore = shutil.ignore_patterns(*NOT_OURS)
    for name in ("citybrain", "tests", "docs", "bench"):
        if (ROOT / name).exists():
            shutil.copytree(ROOT / name, copy / name, ignore=ignore)
    shutil.copytree(ROOT / "web" / "src", copy / "web" / "src", ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


@pytest.fixture
def copy(pristine: Path) -> Iterator[Path]:
    """The copy to plant in; what was planted is weeded out again."""
    yield from planted(pristine)


@pytest.fixture(scope="module")
def bed(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with few modules: a rule that reads all of them takes seconds, and its plant is in none of them."""
    thin = tmp_path_factory.mktemp("bed") / "bed"
    shutil.copytree(
        pristine, thin, ignore=lambda _, names: [name for name in names if name.endswith(".py") and name not in KEPT]
    )
    return thin


@pytest.fixture
def thin(bed: Path) -> Iterator[Path]:
    """The small copy to plant in."""
    yield from planted(bed)


@pytest.fixture(scope="module")
def before(bed: Path) -> Callable[[Rule], list[str]]:
    """What a rule says of the small copy in which nothing is planted."""
    return functools.cache(lambda rule: rule(bed))


def planted(root: Path) -> Iterator[Path]:
    """A tree, from which everything that comes into it meanwhile is taken again."""
    before = set(root.rglob("*"))
    yield root
    for path in sorted(set(root.rglob("*")) - before, reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def plant(root: Path, files: Mapping[str, str]) -> None:
    """Write files, and make a package of every folder of an app or door on their way."""
    for name, content in files.items():
        path = root / name
        assert not path.exists(), f"{name} is there already, and would not be there any more for the next test"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        for folder in path.relative_to(root).parents:
            is_part = folder.parts[:2] in {("citybrain", "apps"), ("citybrain", "doors")} and len(folder.parts) == 3
            if is_part:
                (root / folder / "__init__.py").touch()


def test_every_boundary_refuses_the_import_that_crosses_it(copy: Path) -> None:
    plant(copy, {f"citybrain/{file}": f"{HEAD}{code}\n" for _, file, code in IMPORTS})
    (copy / "citybrain/apps/left/tests/__init__.py").touch()
    done = subprocess.run([BIN / "lint-imports", "--no-cache"], cwd=copy, capture_output=True, text=True)
    assert done.returncode == 1, done.stdout + done.stderr
    report, broken = done.stdout, done.stdout.partition("Broken contracts")[2]
    contracts = set(re.findall(r'^name = "(.+)"', (copy / "pyproject.toml").read_text(), re.M)) - {"citybrain"}
    assert {contract for contract, _, _ in IMPORTS} == contracts, "a contract without a plant"
    for contract, file, _ in IMPORTS:
        module = "citybrain." + file.removesuffix(".py").replace("/", ".")
        assert f"{contract} BROKEN" in report
        # Cycles are told by short names.
        assert module in broken or module.removeprefix("citybrain.kernel") in broken, f"{module} was not refused"


def test_ruff_refuses_what_the_style_refuses(copy: Path) -> None:
    plant(copy, {f"citybrain/kernel/planted_{n}.py": f"{HEAD}{code}\n" for n, (_, code) in enumerate(STYLE)})
    command = [str(BIN / "ruff"), "check", "--no-cache", "--output-format", "concise", "citybrain"]
    report = subprocess.run(command, cwd=copy, capture_output=True, text=True).stdout
    for n, (rule, code) in enumerate(STYLE):
        assert re.search(rf"planted_{n}\.py:\d+:\d+: {rule} ", report), f"{rule} let this through:\n{code}\n{report}"


def test_mypy_refuses_a_function_without_types(copy: Path) -> None:
    plant(copy, {"citybrain/kernel/planted.py": f"{HEAD}def f(x):\n    return x\n"})
    command = [str(BIN / "mypy"), "--cache-dir", "/dev/null", "citybrain/kernel/planted.py"]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True)
    assert "no-untyped-def" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("rule", "file", "content", "says"), TREE, ids=[f"{file}: {says}" for _, file, _, says in TREE]
)
def test_every_rule_of_the_tree_says_so(
    rule: Rule, file: str, content: str, says: str, before: Callable[[Rule], list[str]], thin: Path
) -> None:
    said = before(rule)
    plant(thin, {file: content})
    new = [complaint for complaint in rule(thin) if complaint not in said]
    assert any(says in complaint for complaint in new), f"nothing new was said but {new}"
