# SPDX-License-Identifier: Apache-2.0
"""An app tells what it does and how far it keeps the rules of the house; what it names exists."""

import re
from collections.abc import Iterator
from pathlib import Path

from citybrain.serve import catalog
from tests.architecture.tree import ROOT, parts, refuse

ANSWER = re.compile(r'\w+: (?:done|\{(?:todo|exempt): ".+"\})')
RULES = {
    "words_in_both_languages",
    "thresholds_with_source",
    "tests_state_the_rules",
    "own_tables_only",
    "README_says_what_it_does",
}


def complaints(root: Path) -> list[str]:
    """Apps without a README, or whose scale.yaml does not answer."""
    return sorted(_silent(root))


def _silent(root: Path) -> Iterator[str]:
    for folder in parts(root, "apps"):
        where = folder.relative_to(root)
        if not (folder / "README.md").exists():
            yield f"{where}: no README.md"
        scale = folder / "scale.yaml"
        lines = scale.read_text(encoding="utf-8").splitlines() if scale.exists() else []
        answers = [line for line in lines if line.strip() and not line.startswith("#")]
        for rule in sorted(RULES - {line.partition(":")[0] for line in answers}):
            yield f"{where}/scale.yaml: no answer to {rule}"
        for line in answers:
            if not ANSWER.fullmatch(line):
                yield f"{where}/scale.yaml: neither done, todo nor exempt with its reason: {line}"


def test_every_app_tells_what_it_does_and_how_far_it_is() -> None:
    refuse(complaints(ROOT))


def test_doors_execute_means_that_an_app_declares() -> None:
    declared = {means.name for app in catalog.apps() for means in app.means}
    assert {name for door in catalog.doors() for name in door.executes} <= declared


def test_every_means_is_executed_by_somebody_and_undone_by_a_means() -> None:
    declared = {means.name: means for app in catalog.apps() for means in app.means}
    executed = {name for door in catalog.doors() for name in door.executes}
    executed |= {name for app in catalog.apps() for name in app.executes}
    assert set(declared) <= executed
    assert {means.undone_by for means in declared.values()} <= {*declared, ""}
