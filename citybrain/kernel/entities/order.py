# SPDX-License-Identifier: Apache-2.0
"""What happens when observations arrive in another order than they were made."""

from enum import StrEnum

import msgspec

from citybrain.kernel.entities.document import AttributeChange, Attributes, EntityChange, Instance
from citybrain.kernel.entities.times import us_of


class Order(StrEnum):
    """Whose value stays: the last writer's, as NGSI-LD asks of its API, or the newest observation, as devices need."""

    LAST_WRITE = "last_write"
    NEWEST = "newest"


def in_order(change: EntityChange, order: Order) -> EntityChange:
    """The change as it is to be made. With `NEWEST` an instance observed before the one that is there is only kept.

    One that says no observedAt counts as observed when it is written.
    """
    if order is Order.LAST_WRITE or change.before is None or change.after is None:
        return change
    late = [each for each in change.attributes if _is_late(each)]
    if not late:
        return change
    attributes: Attributes = dict(change.after.attributes)
    for each in late:
        attributes[each.name] = tuple(
            each.before if one.dataset_id == each.dataset_id and each.before else one for one in attributes[each.name]
        )
    return msgspec.structs.replace(
        change,
        after=msgspec.structs.replace(change.after, attributes=attributes),
        attributes=tuple(each for each in change.attributes if each not in late),
        late=(*change.late, *late),
    )


def _is_late(change: AttributeChange) -> bool:
    return change.before is not None and change.after is not None and is_older(change.after, change.before)


def is_older(one: Instance, other: Instance) -> bool:
    """Whether an instance was observed before another; without both times nothing can be said, so it was not."""
    if not one.observed_at or not other.observed_at:
        return False
    return us_of(one.observed_at) < us_of(other.observed_at)
