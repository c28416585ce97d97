# SPDX-License-Identifier: Apache-2.0
"""A ledger claims nothing: what is met names tests that are there, what is not says why, and the sums are right."""

import ast
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest

from docs.ledgers import MET, STATES, Requirement, counts, read_ledger
from tests.architecture.tree import ROOT, refuse

LEDGERS = ("asvs", "gbt22239")


@cache
def names_in(path: Path) -> frozenset[str]:
    """The names of the tests that a file really has."""
    if not path.is_file():
        return frozenset()
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return frozenset(node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def complaints(ledger: Sequence[Requirement], root: Path) -> list[str]:
    """Claims without a test, tests that are not there, gaps without a reason."""
    return sorted(_complaints(ledger, root))


def _complaints(ledger: Sequence[Requirement], root: Path) -> Iterator[str]:
    for each in ledger:
        if each.state not in STATES:
            yield f"{each.id}: {each.state} is no state"
        if (each.state == MET) != bool(each.tests) or (each.state == MET) == bool(each.reason.strip()):
            yield f"{each.id}: what is met names tests, all else a reason"
        for test in each.tests:
            path, _, name = test.partition("::")
            if name not in names_in(root / path):
                yield f"{each.id}: there is no {test}"
    ids = [each.id for each in ledger]
    for twice in {one for one in ids if ids.count(one) > 1}:
        yield f"{twice}: twice"


@pytest.mark.parametrize("name", LEDGERS)
def test_every_claim_names_a_test_that_is_there_and_every_gap_its_reason(name: str) -> None:
    refuse(complaints(read_ledger(name), ROOT))


def test_all_requirements_of_levels_1_and_2_are_in_the_ledger() -> None:
    ledger = read_ledger("asvs")
    # ASVS 5.0.0 has 70 requirements of level 1 and 183 of level 2.
    assert [sum(each.level == level for each in ledger) for level in (1, 2)] == [70, 183]


@pytest.mark.parametrize("name", LEDGERS)
def test_the_sums_are_those_of_the_rows(name: str) -> None:
    ledger = read_ledger(name)
    assert sum(int(row[-1]) for row in counts(ledger)) == len(ledger)
    assert sum(int(row[1]) for row in counts(ledger)) == sum(bool(each.tests) for each in ledger)


def test_a_claim_that_nothing_shows_is_found() -> None:
    bad = [
        Requirement(id="1", level=1, asks="", state=MET),
        Requirement(id="2", level=1, asks="", state="not met"),
        Requirement(id="3", level=1, asks="", state=MET, tests=("tests/security/test_ledgers.py::test_nowhere",)),
        Requirement(id="4", level=1, asks="", state="almost", reason="soon"),
        Requirement(id="4", level=1, asks="", state="not met", reason="soon"),
    ]
    assert [line.partition(":")[0] for line in complaints(bad, ROOT)] == ["1", "2", "3", "4", "4"]
