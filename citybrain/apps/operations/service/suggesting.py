# SPDX-License-Identifier: Apache-2.0
"""What the playbook that counts would order about an event, as thoughts: for trying before anybody confirms."""

from collections.abc import Sequence

import msgspec

from citybrain.apps.operations.decide.matching import choose
from citybrain.apps.operations.decide.planning import Planned, plan_by
from citybrain.apps.operations.decide.playbook import Line
from citybrain.apps.operations.service.operations import Operations
from citybrain.kernel.branches import Thought
from citybrain.kernel.records import Event

GOOD = frozenset({"executed", "over"})
"""A line that waits for another one to come to this is thought of; one that waits for a failure is not."""


async def suggested(operations: Operations, event_id: str) -> list[Thought]:
    """The lines of the playbook in force that counts for an event, as if all before them were carried out at once and
    every person agreed. Lines that wait for something to fail, for the end, or for a value are left out."""
    event = msgspec.convert(await operations.store.journal.event(event_id), Event, from_attributes=True)
    context = operations.around.context()
    choice = choose(operations.active, event, context.types(event.entity_id), context.zone)
    if choice is None:
        return []
    return thoughts(plan_by(choice, event, context).lines)


def thoughts(planned: Sequence[Planned]) -> list[Thought]:
    """The lines that would be ordered, each with its time from now on."""
    begins_s: dict[int, float] = {}
    found: list[Thought] = []
    for each in planned:
        after_s = _after_s(each.line, begins_s)
        if after_s is None or each.code or not each.entity_id:
            continue
        begins_s[each.line.number] = after_s
        found.append(
            Thought(
                means=each.line.means,
                entity_id=each.entity_id,
                parameters=each.parameters,
                after_s=after_s,
            )
        )
    return found


def _after_s(line: Line, begins_s: dict[int, float]) -> float | None:
    """When a line's turn comes; None where nobody can say, or it is not to be."""
    if line.only_if is not None and (not line.only_if.event_open or line.only_if.value is not None):
        return None
    if line.after is None:
        return 0.0
    waits_s = line.after.minutes * 60.0
    if line.after.line is None:
        return waits_s
    if line.after.state not in GOOD or line.after.line not in begins_s:
        return None
    return begins_s[line.after.line] + waits_s
