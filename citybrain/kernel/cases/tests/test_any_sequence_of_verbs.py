# SPDX-License-Identifier: Apache-2.0
"""Whatever people do with cases, one after another: history makes the row, counts are right, moves are in the table."""

import asyncio
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from citybrain.kernel.access.actor import Actor
from citybrain.kernel.cases.acts import Edit
from citybrain.kernel.cases.case import Case, CaseEvent, CommentKind, LinkKind, MoveFacts, Verb, replay
from citybrain.kernel.cases.case_types import CaseTypes
from citybrain.kernel.cases.query import CaseQuery, Order
from citybrain.kernel.cases.service import Cases
from citybrain.kernel.cases.tests.city import DEPARTMENTS, MOVES, NOON, TICKET, Clock, Tree, clerk, operator, pothole
from citybrain.kernel.cases.work import counted_as
from citybrain.kernel.db import Database
from citybrain.kernel.errors import Refusal

ALL = operator()
PEOPLE: list[Actor] = [clerk(f"{name}_{role}", name, roles=roles) for name in DEPARTMENTS for role, roles in (
    ("clerk", ("clerk",)), ("head", ("clerk", "head")),
)]  # fmt: skip
FACTS = MoveFacts(reason="因", answer="答", department="water", fields={"cause": "果"})
NAMES = [move.name for move in MOVES]
# Verbs that change a state without a row of the table: by the rules of transfer and of merging.
BY_RULE = {Verb.TRANSFER: {"new"}, Verb.RETURN: {"new"}, Verb.MERGE: {"done"}}

Act = tuple[str, int, int, int]  # verb, who, which case, what else
ACTS = st.lists(
    st.tuples(
        st.sampled_from([*NAMES, *NAMES, "take", "assign", "pool", "transfer", "back", "suspend", "resume", "reopen",
                         "edit", "join", "leave", "comment", "link", "merge", "split", "open"]),
        st.integers(0, len(PEOPLE) - 1), st.integers(0, 5), st.integers(0, 5),
    ),
    min_size=5, max_size=30,
)  # fmt: skip


async def act(cases: Cases, made: list[int], what: Act) -> None:
    """Do one thing, if it may be done."""
    verb, who, which, other = what
    actor, id, second = PEOPLE[who], made[which % len(made)], made[other % len(made)]
    place, somebody = DEPARTMENTS[other % 3], PEOPLE[other].account
    ways = {
        "take": lambda: cases.take(actor, id),
        "assign": lambda: cases.assign(actor, id, somebody),
        "pool": lambda: cases.to_pool(actor, id),
        "transfer": lambda: cases.transfer(actor, id, place, "因"),
        "back": lambda: cases.give_back(actor, id, "因"),
        "suspend": lambda: cases.suspend(actor, id, "因"),
        "resume": lambda: cases.resume(actor, id),
        "reopen": lambda: cases.reopen(actor, id, "因"),
        "edit": lambda: cases.edit(actor, id, Edit(priority=1 + other, fields={"text": str(other)})),
        "join": lambda: cases.join(actor, id, place, "看"),
        "leave": lambda: cases.leave(actor, id, place, "好"),
        "comment": lambda: cases.comment(actor, id, CommentKind.INTERNAL, "话"),
        "link": lambda: cases.link(actor, id, second, LinkKind.FOLLOWS),
        "merge": lambda: cases.merge(actor, id, [second], "重"),
    }
    try:
        if verb == "open":
            made.append((await cases.open(actor, pothole(department=place))).id)
        elif verb == "split":
            opening = pothole(department=place)
            made.extend(part.id for part in await cases.split(actor, id, [opening, opening]))
        elif verb in ways:
            await ways[verb]()
        else:
            await cases.move(actor, id, verb, FACTS)
    except Refusal:
        pass


def check_history(case: Case, events: list[CaseEvent]) -> None:
    """History makes the row, and every change of state is a row of the table or follows a rule."""
    assert replay(events) == case
    assert [event.version for event in events] == list(range(1, case.version + 1))
    rows = {(state, move.name): move.to for move in MOVES for state in move.from_}
    state: Any = None
    for event in events:
        after = event.changes.get("state", state)
        if event.move is not None:
            assert rows[state, event.move] == after
        elif state is not None and after != state:
            assert after in BY_RULE[event.verb]
        state = after
    assert case.phase is TICKET.phase_of(case.state)


async def check_all(cases: Cases) -> None:
    """Every case of the module, and the counts of them all."""
    found = (await cases.find(ALL, CaseQuery(order=Order.OLDEST, limit=1000))).cases
    for case in found:
        check_history(case, await cases.history(ALL, case.id))
    by = ("department", "type", "state", "assignee", "phase")
    counts = await cases.finding.counting.counts(ALL, CaseQuery(order=Order.NEWEST), by)
    kept = {(each.department, each.type, each.state, each.assignee, each.phase): each.n for each in counts}
    assert kept == Counter(counted_as(case) for case in found)


def test_history_makes_the_row_and_counts_are_right_whatever_people_do(database_url: str) -> None:
    with asyncio.Runner() as runner:
        db = runner.run(Database.connect(database_url))
        cases = Cases(db, CaseTypes(db), Clock(), Tree())
        runner.run(cases.types.put(TICKET, by="city", now=NOON))

        @settings(max_examples=12, deadline=None, database=None)
        @given(ACTS)
        def any_sequence(acts: list[Act]) -> None:
            runner.run(_do(cases, acts))

        any_sequence()
        runner.run(db.close())


async def _do(cases: Cases, acts: list[Act]) -> None:
    made = [(await cases.open(PEOPLE[0], pothole())).id]
    for what in acts:
        await act(cases, made, what)
    await check_all(cases)


async def test_the_counts_hold_when_everybody_acts_at_once(cases: Cases) -> None:
    made = [(await cases.open(PEOPLE[number % 2], pothole())).id for number in range(6)]
    ways = ["accept", "wait", "go_on", "finish", "reopen", "transfer", "back", "merge", "split", "take", "edit"]
    acts = [(ways[number % len(ways)], number % len(PEOPLE), number * 7 % 6, number * 5 % 6) for number in range(300)]
    await asyncio.gather(*(act(cases, made, what) for what in acts))
    await check_all(cases)
