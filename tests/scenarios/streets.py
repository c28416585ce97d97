# SPDX-License-Identifier: Apache-2.0
"""Streets in processes of their own, each of which begins with everything loaded: there can be but one in each."""

from collections.abc import Callable
from multiprocessing import get_context
from pkgutil import iter_modules
from typing import Any

from citybrain import apps

# Loading all of it takes longer than some minutes of a small street.
LOADED = ["citybrain.doors.sumo.field", "citybrain.kernel.loop", "citybrain.serve.experiment"]
LOADED += [f"citybrain.apps.{each.name}.app" for each in iter_modules(apps.__path__)]


def alone(drive: Callable[..., Any], *given: Any) -> Any:
    """What a function answers in a process in which no street was opened yet."""
    context = get_context("forkserver")
    context.set_forkserver_preload(LOADED)
    with context.Pool(1) as one:
        return one.apply(drive, given)
