# SPDX-License-Identifier: Apache-2.0
"""Ledgers of security: what a standard asks, and the tests that show it, or the reason why it is not so."""

import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

SECURITY = Path(__file__).resolve().parents[1] / "tests" / "security"
MET, NOT_MET, NOT_APPLICABLE = "met", "not met", "not applicable"
STATES = (MET, NOT_MET, NOT_APPLICABLE)


class Requirement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One requirement in our own words. What is met names tests (`path::test`), all else its reason."""

    id: str
    level: int
    asks: str
    state: str
    name: str = ""
    tests: tuple[str, ...] = ()
    reason: str = ""


def read_ledger(name: str, folder: Path = SECURITY) -> list[Requirement]:
    """The requirements of one standard, in its order."""
    table = tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))
    return msgspec.convert(table["requirement"], list[Requirement])


def counts(ledger: Sequence[Requirement]) -> list[tuple[str, ...]]:
    """How many of each level are met, not met, not applicable, and in all."""
    levels = sorted({each.level for each in ledger})
    found = Counter((each.level, each.state) for each in ledger)
    rows = [(str(level), *(str(found[level, state]) for state in STATES)) for level in levels]
    return [(*row, str(sum(map(int, row[1:])))) for row in rows]


def evidence(requirement: Requirement) -> str:
    """The tests as they are read, or the reason."""
    if requirement.state != MET:
        return requirement.reason
    return "<br>".join(f"`{Path(path).stem}` {_sentence(test)}" for path, _, test in map(_parts, requirement.tests))


def _parts(test: str) -> tuple[str, str, str]:
    return test.partition("::")


def _sentence(test: str) -> str:
    return test.removeprefix("test_").replace("_", " ")


def rows(ledger: Sequence[Requirement]) -> Iterator[tuple[str, ...]]:
    """The table of a ledger."""
    for each in ledger:
        asks = f"{each.name}: {each.asks}" if each.name else each.asks
        yield each.id, str(each.level), each.state, asks, evidence(each)
