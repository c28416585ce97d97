# SPDX-License-Identifier: Apache-2.0
"""The past becomes thinner with age, as its policies say."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from citybrain.kernel.db import Database
from citybrain.kernel.entities.document import AttributeType, Instance
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.entities.query import read_query
from citybrain.kernel.entities.times import text_of
from citybrain.kernel.journal import Journal
from citybrain.kernel.ld.context import CORE
from citybrain.kernel.pool import Pool
from citybrain.kernel.pool.duration import read_duration
from citybrain.kernel.pool.retention import (
    BadPolicy,
    Policy,
    keep_to_policies,
    policies,
    remove_policy,
    set_policy,
)
from citybrain.kernel.pool.series import SeriesOf
from citybrain.kernel.pool.temporal import Selection, Temporal
from citybrain.kernel.pool.temporal_figures import FiguresOf
from citybrain.kernel.pool.temporal_query import read_temporal_query
from citybrain.kernel.pool.temporal_reading import Given
from citybrain.kernel.pool.temporal_write import TemporalWriting

NOW = datetime(2026, 5, 10, 15, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
HOURLY = 3600


class Kept:
    """A history with values every twenty minutes for ten days."""

    def __init__(self, db: Database, documents: Documents) -> None:
        self.db = db
        self.series = SeriesOf(Temporal(db))
        self._writing = TemporalWriting(Temporal(db), documents)

    async def fill(self, id: str, type: str, name: str) -> None:
        times = [NOW - DAY * 10 + HOUR / 3 * i for i in range(720)]
        instances = [
            (name, Instance(type=AttributeType.PROPERTY, value=i % 3, observed_at=text_of(at)))
            for i, at in enumerate(times)
        ]
        await self._writing.add("", Given(id=id, types=(type,), instances=tuple(instances)), at=NOW)

    async def count(self, id: str, name: str) -> int:
        return len(await self.series.last(id, name, 10_000))

    async def totals(self, id: str, name: str) -> list[tuple[int, float | None, float | None]]:
        found = await self.series.figures(id, name, since=NOW - DAY * 20, until=NOW, every=read_duration("P1D"))
        return [(each.total, each.sum, each.high) for each in found]


@pytest.fixture
async def kept(db: Database) -> AsyncIterator[Kept]:
    for table in ("history", "history_figures", "document", "retention_policy"):
        await db.write(f"DELETE FROM {table}")  # noqa: S608  names of our own
    documents = await Documents.open(db)
    journal = await Journal.open(db, await Pool.open(db, (), documents))
    yield Kept(db, documents)
    await journal.close()


async def test_what_no_policy_names_stays(kept: Kept) -> None:
    await kept.fill("urn:s:1", "Sensor", "x")
    await set_policy(kept.db, Policy(type="Lamp", raw_days=1))
    assert await keep_to_policies(kept.db, now=NOW) == 0
    assert await kept.count("urn:s:1", "x") == 720


async def test_old_values_become_figures_and_the_sums_stay_the_same(kept: Kept) -> None:
    await kept.fill("urn:s:1", "Sensor", "x")
    before = await kept.totals("urn:s:1", "x")
    await set_policy(kept.db, Policy(type="Sensor", raw_days=3, period_s=HOURLY))
    # Three days and what is over since midnight stay: 3 * 72 + 45.
    assert await keep_to_policies(kept.db, now=NOW) == 720 - 261
    assert await kept.count("urn:s:1", "x") == 261
    assert await kept.totals("urn:s:1", "x") == before
    assert await keep_to_policies(kept.db, now=NOW) == 0
    assert await kept.totals("urn:s:1", "x") == before


async def test_what_is_left_in_figures_alone_is_still_found(kept: Kept) -> None:
    await kept.fill("urn:s:1", "Sensor", "x")
    before = await kept.totals("urn:s:1", "x")
    await set_policy(kept.db, Policy(type="Sensor", raw_days=1, period_s=HOURLY))
    await keep_to_policies(kept.db, now=NOW + DAY * 30)
    assert await kept.count("urn:s:1", "x") == 0
    assert await kept.totals("urn:s:1", "x") == before
    params = {"type": "Sensor", "aggrMethods": "sum", "timerel": "after", "timeAt": "2026-01-01T00:00:00Z"}
    asked = Selection(entities=read_query(params, CORE), temporal=read_temporal_query(params))
    temporal = Temporal(kept.db)
    chosen, _ = await temporal.choose("", asked, offset=0, limit=9, count=False)
    assert [each.id for each in chosen] == ["urn:s:1"]
    assert asked.temporal.aggregation is not None
    (told,) = (await FiguresOf(temporal).of(list(chosen), asked, asked.temporal.aggregation)).values()
    assert told["x"][0]["sum"][0][0] == sum(total for _, total, _ in before if total is not None)


async def test_figures_go_too_in_the_end(kept: Kept) -> None:
    await kept.fill("urn:s:1", "Sensor", "x")
    await set_policy(kept.db, Policy(type="Sensor", raw_days=2, period_s=HOURLY, figures_days=5))
    await keep_to_policies(kept.db, now=NOW)
    (oldest,) = await kept.db.read("SELECT min(period_at) FROM history_figures", as_=datetime)
    assert oldest == datetime(2026, 5, 5, tzinfo=UTC)


async def test_a_policy_without_a_period_leaves_nothing(kept: Kept) -> None:
    await kept.fill("urn:s:1", "Sensor", "x")
    await set_policy(kept.db, Policy(type="Sensor", raw_days=1))
    await keep_to_policies(kept.db, now=NOW + DAY * 30)
    assert await kept.count("urn:s:1", "x") == 0
    assert await kept.db.rows("SELECT FROM history_figures") == []


async def test_a_policy_of_an_attribute_goes_before_that_of_all(kept: Kept) -> None:
    await kept.fill("urn:s:1", "Sensor", "x")
    await kept.fill("urn:s:1", "Sensor", "y")
    await set_policy(kept.db, Policy(type="Sensor", raw_days=1))
    await set_policy(kept.db, Policy(type="Sensor", attribute="x", raw_days=100))
    await keep_to_policies(kept.db, now=NOW)
    assert await kept.count("urn:s:1", "x") == 720
    assert await kept.count("urn:s:1", "y") < 720


@pytest.mark.parametrize(
    "policy",
    [
        Policy(type="Sensor", raw_days=0),
        Policy(type="Sensor", raw_days=9, figures_days=3),
        Policy(type="Sensor", raw_days=1, period_s=7 * HOURLY),
    ],
)
async def test_numbers_that_do_not_go_together_are_refused(kept: Kept, policy: Policy) -> None:
    with pytest.raises(BadPolicy):
        await set_policy(kept.db, policy)
    assert await policies(kept.db) == []


async def test_a_policy_can_be_taken_back(kept: Kept) -> None:
    await set_policy(kept.db, Policy(type="Sensor", raw_days=1))
    assert await remove_policy(kept.db, tenant="", type="Sensor", attribute="*")
    assert not await remove_policy(kept.db, tenant="", type="Sensor", attribute="*")
