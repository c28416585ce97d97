# SPDX-License-Identifier: Apache-2.0
"""A process that follows a playbook is killed again and again between order and outcome: nothing is lost or doubled."""

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from citybrain.kernel.db import Database
from tests.scenarios.playbook_victim import EVENTS

KILLS = 8


@contextmanager
def victim(url: str, folder: Path) -> Iterator[Callable[[], str]]:
    """A process that follows the playbook, and what it says next; it is killed when the block ends."""
    command = [sys.executable, "-m", "tests.scenarios.playbook_victim", url, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline
        process.kill()


async def test_every_line_is_ordered_once_and_answered_though_the_process_dies_again_and_again(
    database_url: str, open_folder: Path, db: Database
) -> None:
    chance, folder, done = Random(5), open_folder, 0
    for _ in range(KILLS):
        with victim(database_url, folder) as says:
            assert says() == "begun\n"
            await asyncio.sleep(chance.uniform(0.0, 0.15))
        done += await db.read("SELECT count(*)::int FROM outcome", as_=int) == [3 * EVENTS]
    assert done < KILLS, "or it was never killed at work"
    with victim(database_url, folder) as says:
        assert (says(), says()) == ("begun\n", "done\n")
    lines = await db.rows("SELECT number, state FROM operations_line ORDER BY run_id, number, part")
    assert Counter(lines) == {
        (1, "executed"): EVENTS,
        (2, "executed"): EVENTS,
        (3, "skipped"): EVENTS,
        (4, "checked"): EVENTS,
    }
    orders = await db.rows(
        "SELECT s.means, s.key, count(o.order_id) FROM standing_order s LEFT JOIN outcome o ON o.order_id = s.id"
        " GROUP BY s.number ORDER BY s.number"
    )
    assert Counter(means for means, _, _ in orders) == {
        "street.sign": EVENTS,
        "street.tow": EVENTS,
        "street.case": EVENTS,
    }
    assert len({key for _, key, _ in orders}) == len(orders)
    assert {answered for _, _, answered in orders} == {1}
