# SPDX-License-Identifier: Apache-2.0
"""`python -m tests.security.dependencies`: known flaws of what the city runs on; says so when nobody could be asked."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).parents[2]
PYTHON = [
    *(sys.executable, "-m", "pip_audit", "-r", "locks/runtime.txt", "--disable-pip", "--require-hashes"),
    *("-f", "json", "--timeout", "10", "--progress-spinner", "off"),
]
WEB = ["npm", "audit", "--prefix", "web", "--omit=dev", "--json"]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What an advisory service knew: flaws, one line each, and how many packages it answered for."""

    flaws: tuple[str, ...]
    asked: int
    answered: int


def of_python(report: str) -> Found:
    """What a report of pip-audit tells; one that is none has answered for nothing."""
    packages: Sequence[Mapping[str, Any]] = _json(report).get("dependencies", ())
    known = [each for each in packages if "skip_reason" not in each]
    flaws = [f"{each['name']} {each['version']}: {flaw['id']}" for each in known for flaw in each.get("vulns", ())]
    return Found(flaws=tuple(flaws), asked=len(packages), answered=len(known))


def of_web(report: str) -> Found:
    """What a report of npm tells; an error in its place has answered for nothing."""
    told = _json(report)
    asked = int(told.get("metadata", {}).get("dependencies", {}).get("prod", 0))
    flaws = [f"{name}: {flaw['severity']}" for name, flaw in told.get("vulnerabilities", {}).items()]
    return Found(flaws=tuple(flaws), asked=asked, answered=asked)


def _json(report: str) -> Mapping[str, Any]:
    try:
        told = json.loads(report)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def verdict(name: str, found: Found) -> str:
    """One line for people."""
    if found.flaws:
        return f"{name}: known flaws in " + "; ".join(found.flaws)
    if not found.answered:
        return f"{name}: NOT audited, no list of known flaws can be reached from here"
    return f"{name}: {found.answered} of {found.asked} packages audited, no known flaw"


def main() -> int:
    """Ask, tell, and fail when something that runs has a known flaw."""
    failed = False
    for name, command, read in (("Python", PYTHON, of_python), ("Web", WEB, of_web)):
        told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        found = read(told.stdout)
        failed = failed or bool(found.flaws)
        sys.stdout.write(verdict(name, found) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
