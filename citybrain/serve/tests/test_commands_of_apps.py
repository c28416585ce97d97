# SPDX-License-Identifier: Apache-2.0
"""An app's own commands stand on the command line under its name."""

import subprocess
import sys

import pytest


def said(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "citybrain", *arguments], capture_output=True, text=True)


@pytest.mark.slow
def test_an_app_that_has_commands_is_found_by_its_name() -> None:
    done = said("hotline", "--help")
    assert done.returncode == 0, done.stderr
    assert "evaluate" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(("words", "never"), [(["pool", "--help"], "sklearn"), (["scenarios"], "polars")])
def test_a_command_loads_nothing_of_what_only_others_need(words: list[str], never: str) -> None:
    program = f"import sys; from citybrain.serve import cli; cli.commands_for({words}); print({never!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


@pytest.mark.slow
def test_help_names_every_command_those_of_apps_and_of_imports_too() -> None:
    told = said("--help").stdout
    for name in ("up", "emulate", "whatif", "pool", "audit", "keys", "import", "hotline"):
        assert f" {name} " in told


@pytest.mark.slow
def test_a_word_that_is_misspelt_is_answered_with_the_command_that_was_meant() -> None:
    done = said("audti")
    assert done.returncode == 2
    assert "Did you mean 'audit'?" in done.stderr
