# SPDX-License-Identifier: Apache-2.0
"""How far work is that an order asked for, by the state of its case. Pure."""

from collections.abc import Mapping

ORDERED, ACCEPTED, ON_SITE, DONE, REFUSED, RECALLED = (
    "ordered",
    "accepted",
    "on_site",
    "done",
    "refused",
    "recalled",
)

PROGRESS_OF: Mapping[str, float] = {
    ORDERED: 0.0,
    ACCEPTED: 1.0,
    ON_SITE: 2.0,
    DONE: 3.0,
    REFUSED: -1.0,
    RECALLED: -1.0,
}

ACTIVE = frozenset({ORDERED, ACCEPTED, ON_SITE})
"""While somebody works on it, it can be called off."""
