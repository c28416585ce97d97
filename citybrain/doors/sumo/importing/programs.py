# SPDX-License-Identifier: Apache-2.0
"""SUMO's own programs, run on files: netconvert makes nets, duarouter finds ways, sumo tries whether a city opens."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec
import sumo

from citybrain.kernel.errors import Invalid, Unavailable

BIN = Path(sumo.SUMO_HOME) / "bin"

LONGEST_S = 3600.0
"""A net of a whole country takes netconvert minutes; what takes an hour hangs."""

LAST_WORDS = 6


class ProgramRefused(Invalid):
    """A program of SUMO does not take the files; the facts have its words."""


class ProgramHangs(Unavailable):
    """A program of SUMO did not come to an end."""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a program said while it did its work."""

    warnings: tuple[str, ...]


def run(program: str, arguments: Sequence[str], folder: Path) -> Said:
    """Run one of SUMO's programs in a folder; refuses with its own words when it gives up."""
    command = [str(BIN / program), *arguments, "--xml-validation", "never"]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LONGEST_S,
            env={"SUMO_HOME": sumo.SUMO_HOME, "PATH": os.defpath},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ProgramHangs("sumo.import_program_hangs", {"program": program}) from error
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    if done.returncode != 0:
        words = [line for line in lines if not line.startswith("Warning:")] or lines
        raise ProgramRefused(
            "sumo.import_program_refuses", {"program": program, "detail": " ".join(words[-LAST_WORDS:])}
        )
    return Said(warnings=tuple(line.removeprefix("Warning:").strip() for line in lines if line.startswith("Warning:")))
