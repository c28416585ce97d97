# SPDX-License-Identifier: Apache-2.0
"""Ratings that a clerk writes down for who asked, as on the telephone: never of one's own work."""

from datetime import datetime

from citybrain.kernel.access.actor import Actor
from citybrain.kernel.cases.case import Case
from citybrain.kernel.cases.case_type import CaseType
from citybrain.kernel.cases.ratings import Given, Rating, RatingRefused, Ratings
from citybrain.kernel.cases.refusals import MoveNotYours
from citybrain.kernel.cases.rights import WORK, works_on
from citybrain.kernel.cases.satisfaction import RatingChannel

ACT = "rate"


async def write_down(
    ratings: Ratings, actor: Actor, case: Case, type: CaseType, given: Given, *, now: datetime
) -> Rating:
    """Rate a case that the actor sees in the name of who asked. Refuses `MoveNotYours` and `RatingRefused`."""
    facts = {"number": case.number, "move": ACT}
    if not works_on(actor, WORK, case):
        raise MoveNotYours("kernel.case_move_not_yours", facts)
    if case.assignee in (actor.account, actor.on_behalf_of):
        raise RatingRefused("kernel.case_rated_by_its_own", {"number": case.number})
    if given.channel is RatingChannel.BY_DEFAULT:
        raise RatingRefused("kernel.case_rated_by_default", {"number": case.number})
    return await ratings.rate(case, type, given, by=actor, now=now)
