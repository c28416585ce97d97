# SPDX-License-Identifier: Apache-2.0
"""Why a request is refused."""

from citybrain.kernel.errors import Invalid, NotFound


class Unusable(Invalid):
    """The request cannot be understood or does not fit the data model."""


class NotThere(NotFound):
    """There is no such entity, property or collection."""


def unusable(what: str, **facts: str | int) -> Unusable:
    """A refusal of this door, by the last part of its code."""
    return Unusable(f"sensorthings.{what}", facts)


def not_there(what: str, **facts: str | int) -> NotThere:
    """A refusal of this door because something does not exist."""
    return NotThere(f"sensorthings.{what}", facts)
