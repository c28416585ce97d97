# SPDX-License-Identifier: Apache-2.0
"""The steps of every import: a half city is written, examined and tried, and appears only when nothing stops it."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from citybrain.doors.sumo.importing import folder, net, programs
from citybrain.doors.sumo.importing.findings import Findings
from citybrain.kernel.importing import Report, Wish

Write = Callable[[Wish, Path, Findings], str]
"""Writes the city's files into a folder and answers with the attribution that its licence asks for."""


def bring(kind: str, write: Write, wish: Wish) -> Report:
    """Import a city: dry, stopped by an error, or whole."""
    name = folder.name_of(wish)
    findings = Findings()
    with folder.half_city(wish, name) as half:
        attribution = write(wish, half, findings)
        if not findings.stopped:
            net.examine(half / "city.net.xml", findings)
            _try(half, findings)
        if not attribution:
            findings.warn("sumo.import_no_licence")
        findings.figures["attribution"] = attribution
        report = Report(name=name, kind=kind, findings=tuple(findings.all), figures=findings.figures)
        if report.stopped or wish.dry_run:
            return report
        folder.describe(half, wish, report)
        return msgspec.structs.replace(report, folder=str(folder.appear(half, name)))


def _try(half: Path, findings: Findings) -> None:
    """SUMO reads the net and all routes, and drives nobody."""
    arguments = ["-c", folder.CONFIGURATION, "--route-steps", "0", "--no-step-log", "true", "--end", "0.1"]
    try:
        programs.run("sumo", [*arguments, "--begin", "0", "--no-warnings", "true"], half)
    except programs.ProgramRefused as refusal:
        findings.error("sumo.import_sumo_refuses", detail=refusal.facts["detail"])
