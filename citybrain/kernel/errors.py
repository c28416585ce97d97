# SPDX-License-Identifier: Apache-2.0
"""Refusals: what the city declines to do, as a code with facts and never a sentence."""

from citybrain.kernel.records import Facts


class Refusal(Exception):
    """An expected no. The words under `code` make a sentence of the facts."""

    def __init__(self, code: str, facts: Facts | None = None) -> None:
        super().__init__(code, dict(facts or {}))
        self.code = code
        self.facts: Facts = dict(facts or {})


class NotFound(Refusal):
    """There is no such thing."""


class Invalid(Refusal):
    """What was asked makes no sense as it stands."""


class Conflict(Refusal):
    """What was asked does not fit the present state."""


class Forbidden(Refusal):
    """Who asks may not do this."""


class Unavailable(Refusal):
    """Something the city stands on is not there, or not yet: the database, the data folder, a process."""
