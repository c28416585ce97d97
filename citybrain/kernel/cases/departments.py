# SPDX-License-Identifier: Apache-2.0
"""What the case engine must know of departments."""

from collections.abc import Callable, Collection
from typing import Protocol

from citybrain.kernel.access.policy import Policy


class Departments(Protocol):
    """What the engine must know of departments."""

    def within(self, department: str) -> Collection[str]:
        """A department with all below it."""

    def successor(self, department: str) -> str:
        """Who does a department's work now: itself unless it was dissolved."""


class Single:
    """Departments of a city without a tree: each stands alone and none was dissolved."""

    def within(self, department: str) -> Collection[str]:
        """The department alone."""
        return (department,)

    def successor(self, department: str) -> str:
        """The department itself."""
        return department


class OfPolicy:
    """The departments that rights go by, as they are when it is asked: `policy` answers with the one in force."""

    def __init__(self, policy: Callable[[], Policy]) -> None:
        self._policy = policy

    def within(self, department: str) -> Collection[str]:
        """A department with all below it, and those whose work they carry on."""
        return self._policy().within(department)

    def successor(self, department: str) -> str:
        """Who does a department's work now."""
        return self._policy().successor(department)
