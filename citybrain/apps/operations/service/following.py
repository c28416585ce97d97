# SPDX-License-Identifier: Apache-2.0
"""Work goes on by what its crew says: vehicles that report themselves name the order that sent them."""

from collections.abc import Mapping

import structlog

from citybrain.apps.operations.control.means.acts import PROGRESS
from citybrain.apps.operations.control.progress import ACTIVE, ENDS, ON_SITE, PROGRESS_OF, SAID
from citybrain.apps.operations.service.carrying.desk import NAME, MeansDesk
from citybrain.apps.operations.service.carrying.works import MACHINE
from citybrain.apps.operations.service.open_runs import OpenRuns
from citybrain.apps.operations.store import contacts, runs
from citybrain.kernel.cases.case import MoveFacts
from citybrain.kernel.errors import Refusal, Unavailable

FLEET, CREWS = "VehicleFleet", "crews"
"""The entities whose attribute is what crews say now: `{order, vehicle, state}` each."""

log = structlog.get_logger()


def heard(under_way: OpenRuns) -> Mapping[str, str]:
    """What crews say now, by the order that sent them."""
    found: dict[str, str] = {}
    for fleet in under_way.store.pool.entities(FLEET):
        newest = under_way.store.pool.now(fleet.id).get(CREWS)
        for each in newest.value if newest and isinstance(newest.value, list | tuple) else ():
            if isinstance(each, dict) and each.get("state") in SAID:
                found[str(each.get("order", ""))] = str(each["state"])
    return found


async def follow(under_way: OpenRuns) -> None:
    """Move the cases of crews that are there or done, and look at once at a promise that is kept or lost by it."""
    desk: MeansDesk | None = under_way.store.of_apps.get(NAME)
    if desk is None:
        return
    for order_id, state in heard(under_way).items():
        if desk.crews.get(order_id) == state:
            continue
        case_id = await contacts.case_of(under_way.db, order_id)
        if case_id is not None and SAID[state] != SAID["under_way"]:
            await _move(desk, case_id, state)
        desk.crews[order_id] = state
        await _look(under_way, desk, order_id)


async def _move(desk: MeansDesk, case_id: int, state: str) -> None:
    """As far as the crew says; where people were quicker, or called it off, theirs stands."""
    book, cases = desk.book, desk.book.store.cases
    try:
        case = await cases.get(MACHINE, case_id)
        if case.state in ACTIVE and PROGRESS_OF[case.state] < PROGRESS_OF[ON_SITE]:
            case = await cases.move(MACHINE, case_id, "begin")
        if case.state == ON_SITE and state in ENDS:
            answer = book.words.sentence(ENDS[state], {}, book.lang)
            await cases.move(MACHINE, case_id, "finish", MoveFacts(answer=answer))
    except Unavailable:  # the next round says it again
        raise
    except Refusal as refusal:
        log.warning("crew_not_followed", case=case_id, code=refusal.code)


async def _look(under_way: OpenRuns, desk: MeansDesk, order_id: str) -> None:
    at, progress = under_way.around.city_now, await desk.observed(order_id, PROGRESS)
    if progress is not None and await runs.check_settled(under_way.db, order_id, progress, at=at):
        under_way.next_check = min(under_way.next_check or at, at)
