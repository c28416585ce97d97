# SPDX-License-Identifier: Apache-2.0
"""What somebody may do with a case as it stands: the rules by which verbs are refused, asked beforehand. Pure."""

from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec

from citybrain.kernel.access.actor import Actor
from citybrain.kernel.access.policy import reach
from citybrain.kernel.cases import acts
from citybrain.kernel.cases.case import Case, Share, Verb
from citybrain.kernel.cases.case_type import CaseType, Move, Phase
from citybrain.kernel.cases.rights import ASSIGN, OPEN, TRANSFER, WORK, Within, has_role, works_on
from citybrain.kernel.errors import Refusal

# What a verb needs on the case itself.
NEEDED: Mapping[Verb, str] = {
    Verb.ASSIGN: ASSIGN,
    Verb.TAKE: WORK,
    Verb.TO_POOL: WORK,
    Verb.TRANSFER: TRANSFER,
    Verb.RETURN: TRANSFER,
    Verb.EDIT: WORK,
    Verb.PLAN: ASSIGN,
    Verb.JOIN: TRANSFER,
    Verb.LINK: WORK,
    Verb.MERGE: WORK,
    Verb.SPLIT: WORK,
    Verb.CONVERT: ASSIGN,
}
# What helping departments may too: the permission anywhere, as the case is seen.
NEEDED_ANYWHERE: Mapping[Verb, str] = {Verb.COMMENT: WORK, Verb.LEAVE: WORK}
SOMETHING = "…"  # stands for a reason or an account when a rule is only asked


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody before a case that they see, with what the rules look at."""

    actor: Actor
    case: Case
    type: CaseType
    shares: Sequence[Share] = ()
    newer: Sequence[CaseType] = ()
    moves: Sequence[Move] = ()
    has_tasks: bool = False

    @property
    def by(self) -> str:
        """Whose case it is when they take it."""
        return self.actor.on_behalf_of or self.actor.account


def may_move(actor: Actor, move: Move, case: Case, helpers: Collection[str], within: Within) -> bool:
    """Whether somebody may go along a row of the table; `helpers` are the departments that help."""
    if move.automatic and not reach(actor, move.permission).all:
        return False
    places = [case.department] if works_on(actor, move.permission, case) else []
    if move.helpers:
        places += [each for each in helpers if reach(actor, move.permission).covers(each)]
    if not move.roles:
        return bool(places)
    return any(has_role(actor, move.roles, place, within) for place in places)


def may_put_back(actor: Actor, case: Case) -> bool:
    """Whether somebody may put a case back for others: one's own, or another's with `case.assign`."""
    return case.assignee == (actor.on_behalf_of or actor.account) or works_on(actor, ASSIGN, case)


def may_give_back(actor: Actor, case: Case, type: CaseType, within: Within) -> bool:
    """Whether the type lets somebody return a case to where it came from."""
    roles = type.transfers.return_roles
    return not roles or has_role(actor, roles, case.department, within)


def may_answer_for(actor: Actor, case: Case, department: str) -> bool:
    """Whether somebody may say that a helping department has done its part."""
    return reach(actor, WORK).covers(department) or works_on(actor, TRANSFER, case)


def verbs(asker: Asker, within: Within) -> list[Verb]:
    """The verbs that somebody may do now, in the order in which they are told. Those that change nothing are left out.

    Rules of acts are asked by trying: what would be refused whatever came with it is not told.
    """
    return [verb for verb, fits in FITS.items() if _is_permitted(asker, verb, within) and _is_not_refused(fits, asker)]


def _is_permitted(asker: Asker, verb: Verb, within: Within) -> bool:
    actor, case = asker.actor, asker.case
    if verb in NEEDED and not works_on(actor, NEEDED[verb], case):
        return False
    if verb in NEEDED_ANYWHERE and not reach(actor, NEEDED_ANYWHERE[verb]):
        return False
    if verb is Verb.TO_POOL:
        return may_put_back(actor, case)
    return verb is not Verb.RETURN or may_give_back(actor, case, asker.type, within)


def _is_not_refused(fits: Callable[[Asker], object], asker: Asker) -> bool:
    try:
        return bool(fits(asker))
    except Refusal:
        return False


def _leads_to(asker: Asker, phase: Phase, *, closed: bool) -> bool:
    """Whether a move that may be made leads to another phase, from a closed case or not."""
    case = asker.case
    if (case.phase is Phase.CLOSED) is not closed or case.phase is phase:
        return False
    return any(asker.type.phase_of(move.to) is phase for move in asker.moves)


def _takes(asker: Asker) -> bool:
    return acts.take(asker.case, asker.by).after.assignee != asker.case.assignee


def _puts_back(asker: Asker) -> bool:
    return acts.to_pool(asker.case, "").after.assignee != asker.case.assignee


def _converts(asker: Asker) -> bool:
    for type in asker.newer:
        if type.version > asker.case.type_version and asker.case.phase is not Phase.CLOSED:
            acts.convert(asker.case, type)
            return True
    return False


def _answers(asker: Asker) -> bool:
    return any(
        share.answered_at is None and may_answer_for(asker.actor, asker.case, share.department)
        for share in asker.shares
    )


def _always(_asker: Asker) -> bool:
    return True


FITS: Mapping[Verb, Callable[[Asker], object]] = {
    Verb.MOVE: lambda asker: asker.moves,
    Verb.TAKE: _takes,
    Verb.ASSIGN: lambda asker: acts.assign(asker.case, SOMETHING, ""),
    Verb.TO_POOL: _puts_back,
    Verb.TRANSFER: lambda asker: acts.transfer(asker.case, asker.type, SOMETHING, SOMETHING, asker.case.changed_at),
    Verb.RETURN: lambda asker: acts.give_back(asker.case, asker.type, SOMETHING, asker.case.changed_at),
    Verb.SUSPEND: lambda asker: _leads_to(asker, Phase.SUSPENDED, closed=False),
    Verb.RESUME: lambda asker: _leads_to(asker, Phase.OPEN, closed=False),
    Verb.REOPEN: lambda asker: _leads_to(asker, Phase.OPEN, closed=True),
    Verb.EDIT: _always,
    Verb.PLAN: lambda asker: asker.case.phase is not Phase.CLOSED,
    Verb.COMMENT: _always,
    Verb.JOIN: _always,
    Verb.LEAVE: _answers,
    Verb.LINK: _always,
    Verb.MERGE: lambda asker: acts.merge(asker.case, asker.case, asker.type, SOMETHING, asker.case.changed_at),
    Verb.SPLIT: lambda asker: reach(asker.actor, OPEN),
    Verb.CONVERT: _converts,
    Verb.TASK: lambda asker: asker.has_tasks,
}
"""Of each verb what else must hold, or the rule itself, tried."""
