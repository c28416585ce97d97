# SPDX-License-Identifier: Apache-2.0
"""The audit of dependencies finds what a service tells, and never takes silence for health."""

import json

import pytest

from tests.security.dependencies import Found, of_python, of_web, verdict

FLAWED = {"name": "old", "version": "1.0", "vulns": [{"id": "PYSEC-2018-28", "fix_versions": ["2.0"]}]}
SOUND = {"name": "new", "version": "2.0", "vulns": []}
UNKNOWN = {"name": "own", "skip_reason": "Dependency not found"}


def test_a_flaw_is_named_with_its_package() -> None:
    found = of_python(json.dumps({"dependencies": [SOUND, FLAWED, UNKNOWN]}))
    assert found == Found(flaws=("old 1.0: PYSEC-2018-28",), asked=3, answered=2)
    assert verdict("Python", found) == "Python: known flaws in old 1.0: PYSEC-2018-28"


def test_a_flaw_of_the_web_is_named_with_its_severity() -> None:
    report = {"vulnerabilities": {"left-pad": {"severity": "high"}}, "metadata": {"dependencies": {"prod": 9}}}
    assert of_web(json.dumps(report)) == Found(flaws=("left-pad: high",), asked=9, answered=9)


@pytest.mark.parametrize("report", ["", "not json", "[]", json.dumps({"error": {"code": "EAUDIT"}})])
def test_a_service_that_does_not_answer_is_no_proof_of_health(report: str) -> None:
    for found in (of_python(report), of_web(report)):
        assert found.answered == 0
        assert "NOT audited" in verdict("Python", found)


def test_packages_that_nobody_knows_are_not_audited() -> None:
    assert "NOT audited" in verdict("Python", of_python(json.dumps({"dependencies": [UNKNOWN]})))
    assert verdict("Python", of_python(json.dumps({"dependencies": [SOUND, UNKNOWN]}))).endswith(
        "1 of 2 packages audited, no known flaw"
    )
