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

SAID: Mapping[str, float] = {
    "under_way": PROGRESS_OF[ACCEPTED],
    "at_work": PROGRESS_OF[ON_SITE],
    "cleared": PROGRESS_OF[DONE],
    "nothing": PROGRESS_OF[REFUSED],
}
"""How far a crew is that reports itself, by its own words; `nothing`: there was nothing that it could clear."""

ENDS = {"cleared": "operations.crew_cleared", "nothing": "operations.crew_nothing"}
"""Words with which a crew is done, by what it says."""

ACTIVE = frozenset({ORDERED, ACCEPTED, ON_SITE})
"""While somebody works on it, it can be called off."""
