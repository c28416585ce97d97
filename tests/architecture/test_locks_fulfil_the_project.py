# SPDX-License-Identifier: Apache-2.0
"""The locks hold what the project asks for, each pinned with hashes, and the program imports nothing else."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.tree import ROOT, modules, refuse

PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.M)


def pins(lock: str) -> dict[str, list[str]]:
    """The versions in a lock, by package; more than one where they differ by Python version."""
    found: dict[str, list[str]] = {}
    for name, version in PIN.findall(lock):
        found.setdefault(canonicalize_name(name), []).append(version)
    return found


def unfulfilled(requirements: list[str], lock: str) -> list[str]:
    """Requirements that no pin of this lock fulfils."""
    have = pins(lock)
    return [
        text
        for text in requirements
        if not any(
            Requirement(text).specifier.contains(version)
            for version in have.get(canonicalize_name(Requirement(text).name), [])
        )
    ]


def project(root: Path) -> dict[str, Any]:
    """The project's own description."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


def group(facts: dict[str, Any], name: str) -> list[str]:
    """The requirements of a dependency group with those it includes."""
    flat: list[str] = []
    for each in facts["dependency-groups"][name]:
        flat += group(facts, each["include-group"]) if isinstance(each, dict) else [each]
    return flat


def undeclared_imports(root: Path) -> list[str]:
    """Imports of packages that `dependencies` does not name."""
    return sorted(_undeclared_imports(root))


def _undeclared_imports(root: Path) -> Iterator[str]:
    requirements = [Requirement(text) for text in project(root)["project"]["dependencies"]]
    declared = {canonicalize_name(each.name) for each in requirements}
    declared |= {canonicalize_name(f"{each.name}-{extra}") for each in requirements for extra in each.extras}
    owners = packages_distributions()
    for path, module in modules(root / "citybrain"):
        if "tests" in path.parts:
            continue
        for name in sorted(_imported(module) - {"citybrain"} - set(sys.stdlib_module_names)):
            if not declared & {canonicalize_name(owner) for owner in owners.get(name, [name])}:
                yield f"{path.relative_to(root)}: imports {name}, which pyproject.toml does not name"


def _imported(module: ast.Module) -> set[str]:
    nodes = list(ast.walk(module))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    of = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level}
    return {name.split(".")[0] for name in plain | of}


# fmt: off
LOCKS = [
    ("runtime.txt",   ("build",)),
    ("dev.txt",       ("dev",)),
]
# fmt: on


@pytest.mark.parametrize(("lock", "groups"), LOCKS)
def test_the_lock_holds_what_the_project_asks_for(lock: str, groups: tuple[str, ...]) -> None:
    facts = project(ROOT)
    wanted = facts["project"]["dependencies"] + [text for name in groups for text in group(facts, name)]
    assert unfulfilled(wanted, (ROOT / "locks" / lock).read_text()) == [], "run `make lock`"


def test_the_lock_of_scenarios_holds_what_the_project_asks_for() -> None:
    assert unfulfilled(group(project(ROOT), "scenarios"), (ROOT / "locks" / "scenarios.txt").read_text()) == []


def test_every_pin_has_hashes() -> None:
    for lock in (ROOT / "locks").glob("*.txt"):
        entries = re.split(r"\n(?=\S)", lock.read_text().strip())
        assert [entry for entry in entries if "--hash=sha256:" not in entry] == [], lock.name


def test_one_package_has_one_version_in_all_locks() -> None:
    dev = pins((ROOT / "locks" / "dev.txt").read_text())
    for lock in ("runtime.txt", "uv.txt"):
        have = pins((ROOT / "locks" / lock).read_text())
        assert {name: version for name, version in have.items() if dev.get(name) != version} == {}, "run `make lock`"


def test_the_program_imports_only_what_the_project_declares() -> None:
    refuse(undeclared_imports(ROOT))
