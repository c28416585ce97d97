# SPDX-License-Identifier: Apache-2.0
"""A means together with how it is carried out: as work of people, a message, a command to a device, a verb. Pure."""

from collections.abc import Mapping
from datetime import timedelta

import msgspec

from citybrain.kernel.app import Effect, Means
from citybrain.kernel.records import Facts, Order

ACT = "operations.act"
"""To order people, devices and messages between offices."""
INFORM = "operations.inform"
"""To speak to the public."""
ISOLATE = "operations.isolate"
"""To cut off power, gas or water, to stop plants and events; always by two persons."""

PROGRESS = "case.progress"
"""How far the work is that an order asked for: 0 ordered, 1 accepted, 2 on site or begun, 3 done; -1 refused or called
off. It is read of the order, not of the pool."""
TAKEN = "message.taken"
"""How many of those who were to be told have taken a message. It is read of the order, not of the pool."""

ACCEPTED, ON_SITE, DONE = 0.0, 1.0, 2.0
"""Below the step that is to be reached: `above` is more than this."""

DESIRED = "desired"
AUTO = "auto"
"""What a device is told when it may go by its own control again."""

RECALL, ALL_CLEAR, RELEASE = "administration.recall", "information.all_clear", "devices.release"


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """Work of people: a case of a type, for the department that has a role; 1 is the most urgent priority.

    Without a role the department is a parameter of the order, and so are those that help. `by_two`: two persons must
    order it.
    """

    role: str
    type: str
    priority: int = 3
    by_two: bool = False


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Words to all contacts of a role."""

    role: str


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """What a device is to be, in an attribute beside the one in which it reports what it is.

    `parameter` is the one whose value is wanted; without it all parameters together are.
    """

    attribute: str
    parameter: str = ""

    @property
    def desired(self) -> str:
        """The attribute that is set."""
        return f"{DESIRED}{self.attribute[0].upper()}{self.attribute[1:]}"


class Verb(msgspec.Struct, frozen=True, kw_only=True):
    """Something done with an earlier order or with a device: `recall`, `remind`, `all_clear`, `release`."""

    name: str


How = Task | Message | Command | Verb


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """A means and how it is carried out; None where another app or a door does it."""

    means: Means
    how: How | None = None


def of_order(order: Order) -> Facts:
    """The parameters of what takes an order back: which one."""
    return {"order": order.id}


def task(
    name: str,
    how: Task,
    parameters: type[msgspec.Struct],
    minutes: float,
    *,
    reaches: float = ON_SITE,
    undone_by: str = RECALL,
) -> Act:
    """Work of people that has come so far within some minutes."""
    effect = Effect(attribute=PROGRESS, becomes="above", value=reaches, within=timedelta(minutes=minutes))
    return Act(
        means=Means(
            name=name,
            permission=ISOLATE if how.by_two else ACT,
            parameters=parameters,
            undone_by=undone_by,
            undo=of_order if undone_by == RECALL else lambda _: {},
            two_person=how.by_two,
            group=group_of(name),
            effect=effect,
            precondition="operations.before_department" if how.role else "operations.before_named_department",
        ),
        how=how,
    )


def message(name: str, role: str, parameters: type[msgspec.Struct], *, public: bool = True, undo: bool = True) -> Act:
    """Words that somebody has taken within a minute."""
    return Act(
        means=Means(
            name=name,
            permission=INFORM if public else ACT,
            parameters=parameters,
            undone_by=ALL_CLEAR if undo else "",
            undo=of_order if undo else None,
            group=group_of(name),
            effect=Effect(attribute=TAKEN, becomes="above", value=0.0, within=timedelta(minutes=1)),
            precondition="operations.before_contact",
        ),
        how=Message(role=role),
    )


def command(
    name: str,
    how: Command,
    parameters: type[msgspec.Struct],
    types: tuple[str, ...],
    effect: Effect,
    *,
    lasts: bool = True,
) -> Act:
    """A device that becomes what it is told, and stays so until the order ends where it `lasts`."""
    release: Mapping[str, str] = {"attribute": how.attribute}
    return Act(
        means=Means(
            name=name,
            permission=INFORM if name.startswith("information.") else ACT,
            parameters=parameters,
            undone_by=RELEASE if lasts else "",
            undo=(lambda _: release) if lasts else None,
            lasts=lasts,
            entity_types=types,
            group=group_of(name),
            effect=effect,
            precondition="operations.before_device",
        ),
        how=how,
    )


def becomes(attribute: str, parameter: str, *, seconds: float = 60.0) -> Effect:
    """A device reports the value of a parameter within so many seconds."""
    return Effect(attribute=attribute, becomes="is", value=f"{{{parameter}}}", within=timedelta(seconds=seconds))


def group_of(name: str) -> str:
    """Where people look for a means: the first part of its name."""
    return name.partition(".")[0]
