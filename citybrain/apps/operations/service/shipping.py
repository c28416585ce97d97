# SPDX-License-Identifier: Apache-2.0
"""The playbooks that come with the program: put in once, renewed with it, left alone where the city made its own."""

from datetime import datetime
from pathlib import Path

import msgspec
import structlog

from citybrain.apps.operations.decide.playbook import Playbook, check
from citybrain.apps.operations.service.operations import Operations
from citybrain.apps.operations.store import playbooks
from citybrain.apps.operations.store.playbooks import VersionRow, VersionState

SEED = Path(__file__).parents[1] / "seed" / "playbooks.json"
NOBODY = ""

log = structlog.get_logger()


def shipped_playbooks() -> list[Playbook]:
    """What comes with the program."""
    return msgspec.json.decode(SEED.read_bytes(), type=list[Playbook])


async def ship(operations: Operations, *, now: datetime) -> None:
    """Put shipped playbooks in force that the city does not have, or whose shipped text is newer and still in force.

    One that people changed, or took out of force, stays as they left it.
    """
    await operations.load()
    newest = {row.playbook: row for row in operations.versions}
    if new := [each for each in shipped_playbooks() if _is_new(each, newest.get(each.id))]:
        async with operations.db.transaction() as transaction:
            for playbook in new:
                check(playbook)
                version = await playbooks.add(transaction, playbook, by=NOBODY, at=now, shipped_too=True)
                await playbooks.activate(transaction, playbook.id, version, by=NOBODY, at=now)
        await operations.load()
    for active in operations.active:
        for problem in operations.problems(active.playbook):
            facts = dict(problem.facts)
            log.warning(
                "playbook_line_unusable", playbook=active.playbook.id, line=problem.line, code=problem.code, **facts
            )


def _is_new(playbook: Playbook, known: VersionRow | None) -> bool:
    """Whether the city lacks it, or has it as it was shipped before."""
    if known is None:
        return True
    return known.made_by == NOBODY and known.state is VersionState.ACTIVE and known.body != playbook
