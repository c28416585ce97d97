# SPDX-License-Identifier: Apache-2.0
"""What an audit row costs an act, what one lock for the chain would cost instead, how fast the log is verified."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import quantiles

from citybrain.kernel.audit import MACHINE, extend, record, verify
from citybrain.kernel.clock import monotonic_s, utc_now
from citybrain.kernel.crypto import AES, PROVIDERS, KeyRing, Place
from citybrain.kernel.db import Database, Transaction
from citybrain.kernel.migrate import migrate
from citybrain.kernel.settings import Settings

AT_ONCE = 16
SECONDS = 6.0
VALUES = 50_000
Act = Callable[[Transaction], Awaitable[None]]


async def acts(db: Database, extra: Act) -> tuple[float, float]:
    """Acts per second and the 95th percentile in ms of 16 who each write one row and what `extra` does."""
    took: list[float] = []
    end = monotonic_s() + SECONDS

    async def one() -> None:
        while (begun := monotonic_s()) < end:
            async with db.transaction() as transaction:
                await transaction.write("INSERT INTO bench_act (what) VALUES ('x')")
                await extra(transaction)
            took.append(monotonic_s() - begun)

    await asyncio.gather(*(one() for _ in range(AT_ONCE)))
    return len(took) / SECONDS, quantiles(took, n=20)[-1] * 1000


async def nothing(_transaction: Transaction) -> None:
    """The act alone."""


async def recorded(transaction: Transaction) -> None:
    """The act and its entry, as the city writes it."""
    await record(transaction, actor=MACHINE, act="case.move", object="case:1", facts={"state": "done", "version": 3})


async def locked(transaction: Transaction) -> None:
    """The act and its entry under one lock until the commit, as a chain written by the acts themselves needs it."""
    await transaction.rows("SELECT pg_advisory_xact_lock(1)")
    await transaction.rows("SELECT hash FROM audit_link ORDER BY position DESC LIMIT 1")
    await recorded(transaction)


async def main() -> None:
    """All figures."""
    with tempfile.TemporaryDirectory(prefix="citybrain-bench-", ignore_cleanup_errors=True) as top:
        await asyncio.to_thread(Path(top).chmod, 0o755)
        db = await Database.open(Settings(data=Path(top) / "data"))
        await migrate(db, {})
        await db.write("CREATE TABLE bench_act (id bigint GENERATED ALWAYS AS IDENTITY, what text)")
        for name, extra in (("the act alone", nothing), ("with its audit row", recorded), ("with a lock", locked)) * 2:
            rate, p95 = await acts(db, extra)
            print(f"{name}: {rate:,.0f} acts/s, p95 {p95:.1f} ms ({AT_ONCE} at once)")
        begun = monotonic_s()
        chained = await extend(db, AES)
        print(f"chained: {chained / (monotonic_s() - begun):,.0f} rows/s")
        begun = monotonic_s()
        report = await verify(db, KeyRing.new(now=utc_now()))
        print(f"verified: {report.entries / (monotonic_s() - begun):,.0f} rows/s, whole: {report.whole}")
        await db.close()
    place = Place("case_person", "phone", 1)
    for family in PROVIDERS:
        ring = KeyRing.new(now=utc_now(), family=family)
        begun = monotonic_s()
        sealed = [ring.encrypt("13800131234", place) for _ in range(VALUES)]
        encrypted = monotonic_s()
        for each in sealed:
            ring.decrypt(each, place)
        opened = monotonic_s()
        for _ in range(VALUES):
            ring.mark("phone", "13800131234")
        marked = monotonic_s()
        rates = [VALUES / span for span in (encrypted - begun, opened - encrypted, marked - opened)]
        print(family, "encrypt {:,.0f}/s, decrypt {:,.0f}/s, mark {:,.0f}/s".format(*rates))


if __name__ == "__main__":
    asyncio.run(main())
