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
def test_the_commands_of_the_city_load_no_app() -> None:
    program = "import sys; sys.argv[1:] = ['pool', '--help']; from citybrain.serve import cli; " \
        "cli._add_commands_of_apps(sys.argv[1:]); print('sklearn' in sys.modules)"  # fmt: skip
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
