# SPDX-License-Identifier: Apache-2.0
"""Orders of work: each opens one case for the department that has the role, and is followed by it."""

from collections.abc import Sequence
from datetime import datetime

from citybrain.apps.operations.choice.sending import Candidate
from citybrain.apps.operations.control.means.acts import Task
from citybrain.apps.operations.control.progress import ACTIVE, PROGRESS_OF, RECALLED
from citybrain.apps.operations.service.carrying.book import Book
from citybrain.apps.operations.service.carrying.messages import Delivery
from citybrain.apps.operations.service.carrying.outcomes import NoDepartment, NothingToTakeBack, Over, executed
from citybrain.apps.operations.service.carrying.telling import full, letter, title
from citybrain.apps.operations.store import contacts
from citybrain.apps.operations.store.contacts import Way
from citybrain.kernel.access import Actor, Kind, Reach, Right
from citybrain.kernel.cases.case import Case, CaseChange, CommentKind, MoveFacts, Opening
from citybrain.kernel.db import Transaction
from citybrain.kernel.errors import Refusal
from citybrain.kernel.geo import centre
from citybrain.kernel.records import Facts, Order, Outcome

EVERYTHING = Right(reach=Reach(all=True))
MACHINE = Actor(
    name="operations",
    account="operations",
    kind=Kind.SERVICE,
    rights={f"case.{verb}": EVERYTHING for verb in ("view", "open", "work", "assign", "transfer")},
)
"""The city itself, when it carries out orders that people and playbooks gave."""
CHANNEL = "order"


async def open_case(book: Book, delivery: Delivery, how: Task, order: Order, at: datetime) -> Outcome:
    """Open the case of an order, once; those of the role who can be told are told beside it."""
    department = _department(book, how, order)
    entity = book.store.pool.entity(order.entity_id)
    units = _units(book, how, order)
    opening = _opening(book, how, order, department, [each.team for each in units])

    async def note(transaction: Transaction, change: CaseChange) -> None:
        on, case = order.entity_id, change.after.id
        await contacts.add_task(transaction, order.id, case, means=order.means, on=on, at=change.event.at)

    case = await book.store.cases.open(MACHINE, opening, also=note)
    await _ask_helpers(book, order, case.id, str(opening.fields["task"]))
    told = book.told(how.role) if how.role else []
    if told:
        extra = {"case": case.number, "department": department}
        await delivery.queue(order.id, told, letter(book.words, order, entity, extra=extra))
        delivery.deliver_later(order.id)
    facts = {"number": case.number, "case": case.id, "department": department}
    if units:
        chosen = {"units": [each.team for each in units], "eta_s": round(max(each.eta_s for each in units))}
        return executed(order, at, "operations.unit_asked", {**facts, **chosen})
    return executed(order, at, "operations.case_opened", facts)


async def recall(book: Book, order: Order, at: datetime) -> Outcome:
    """Call off the work that an earlier order asked for."""
    case, is_again = await _case(book, order)
    if case.state in ACTIVE:
        reason = str(order.parameters.get("text") or order.because.facts.get("reason") or order.id)
        await _follow(book, order, case.id, at)
        case = await book.store.cases.move(MACHINE, case.id, "recall", MoveFacts(reason=reason))
    elif not (is_again and case.state == RECALLED):
        raise Over("operations.case_over", {"number": case.number})
    return executed(order, at, "operations.recalled", {"number": case.number, "case": case.id})


async def remind(book: Book, delivery: Delivery, order: Order, at: datetime) -> Outcome:
    """Remind those who were asked: in the case, and by messages where they can be told."""
    case, is_again = await _case(book, order)
    if case.state not in ACTIVE and not is_again:
        raise Over("operations.case_over", {"number": case.number})
    text = full(book.words, order, book.lang) or title(book.words, order, None, book.lang)
    said = f"{text} [{order.id}]"
    story = await book.store.cases.story(MACHINE, case.id)
    if not any(each.text == said for each in story.comments):
        await _follow(book, order, case.id, at)
        await book.store.cases.comment(MACHINE, case.id, CommentKind.INTERNAL, said)
    named = (each for each in book.all() if each.channel is Way.CASE and each.address == case.department)
    told = book.told(next((each.role for each in named), ""))
    if told:
        entity = book.store.pool.entity(order.entity_id)
        await delivery.queue(order.id, told, letter(book.words, order, entity, extra={"case": case.number}))
        delivery.deliver_later(order.id)
    return executed(order, at, "operations.reminded", {"number": case.number, "case": case.id})


async def progress(book: Book, order_id: str) -> float | None:
    """How far the work of an order is; None when it opened no case."""
    id = await contacts.case_of(book.store.db, order_id)
    if id is None:
        return None
    case = await book.store.cases.get(MACHINE, id)
    return PROGRESS_OF.get(case.state)


async def _ask_helpers(book: Book, order: Order, case_id: int, task: str) -> None:
    """Each department that is to help is asked once."""
    helpers: Sequence[str] = order.parameters.get("helpers", ())
    if helpers:
        story = await book.store.cases.story(MACHINE, case_id)
        asked = {share.department for share in story.shares}
        for helper in helpers:
            if helper not in asked:
                await book.store.cases.join(MACHINE, case_id, helper, task)


async def _case(book: Book, order: Order) -> tuple[Case, bool]:
    """The case that an earlier order opened, and whether this order was about it before: then it is given again."""
    id = await contacts.case_of(book.store.db, str(order.parameters["order"]))
    if id is None:
        raise NothingToTakeBack("operations.no_case_of_order", {"order": order.parameters["order"]})
    is_again = await contacts.case_of(book.store.db, order.id) == id
    return await book.store.cases.get(MACHINE, id), is_again


async def _follow(book: Book, order: Order, case_id: int, at: datetime) -> None:
    """From now on what this order promised is read of the same case."""
    async with book.store.db.transaction() as transaction:
        await contacts.add_task(transaction, order.id, case_id, means=order.means, on=order.entity_id, at=at)


def _department(book: Book, how: Task, order: Order) -> str:
    if not how.role:
        return book.store.cases.departments.living(str(order.parameters["department"]))
    department = book.department(how.role)
    if department is None:
        raise NoDepartment("operations.no_department", {"role": book.role(how.role)})
    return department


def _units(book: Book, how: Task, order: Order) -> list[Candidate]:
    """The nearest who could go, where nobody was named; none where the pool knows nobody, so that others choose."""
    if order.parameters.get("unit") != "" or not how.role:
        return []
    try:
        found = book.dispatching.ranked(how.role, order.entity_id)
    except Refusal:
        return []
    return found[: int(order.parameters.get("number", 1))]


def _opening(book: Book, how: Task, order: Order, department: str, units: Sequence[str]) -> Opening:
    """The case as it is asked for; where it is stands in it when the place is known."""
    entity = book.store.pool.entity(order.entity_id)
    longitude, latitude = (centre(entity.geometry) if entity else None) or (None, None)
    return Opening(
        type=how.type,
        title=title(book.words, order, entity, book.lang),
        department=department,
        fields=_fields(book, order, units),
        priority=int(order.parameters.get("priority", how.priority)),
        channel=CHANNEL,
        category=order.means,
        longitude=longitude,
        latitude=latitude,
        key=f"operations:{order.id}",
    )


def _fields(book: Book, order: Order, units: Sequence[str]) -> Facts:
    fields = {
        "task": full(book.words, order, book.lang) or book.words.sentence(f"means.{order.means}", {}, book.lang),
        "order": order.id,
        "means": order.means,
        "entity": order.entity_id,
        "event": order.because.event_id or "",
        "unit": str(order.parameters.get("unit", "")) or " ".join(units)[:200],
        "by": order.by,
    }
    return {name: value for name, value in fields.items() if value}
