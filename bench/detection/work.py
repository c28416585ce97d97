# SPDX-License-Identifier: Apache-2.0
"""One run in a process of its own."""

import pickle
from pathlib import Path
from time import monotonic
from typing import Any

from bench.detection.plan import Case
from bench.detection.runs import Result, measure


def one_run(task: tuple[Case, dict[str, float], Path | None, float]) -> Result | str:
    """A result, or why there is none; nothing when time is up."""
    case, per_hour, record, until_s = task
    if monotonic() > until_s:
        return ""
    heard: list[Any] = []
    try:
        result = measure(case, per_hour, heard.append if record else lambda _: None)
    except Exception as error:  # noqa: BLE001 - the edge of the process: the parent tells the person
        return f"{case.key}: {error!r}"
    if record:
        record.mkdir(parents=True, exist_ok=True)
        (record / f"{case.key.replace(' ', '-')}.pickle").write_bytes(pickle.dumps((result, heard), protocol=5))
    return result
