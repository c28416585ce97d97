# SPDX-License-Identifier: Apache-2.0
"""What the web reads: the running city and its stores, drawn for screens, live or at a past time."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

from citybrain.kernel.app import App, EntityType, Indicator
from citybrain.kernel.clock import utc_now
from citybrain.kernel.i18n import Words
from citybrain.kernel.journal import Journal
from citybrain.kernel.outbox import Outbox
from citybrain.kernel.pool import Pool
from citybrain.kernel.records import Entity, Json
from citybrain.kernel.runs import Run, Runs
from citybrain.serve.city import City
from citybrain.serve.views import IndicatorView, Screen, indicator_views
from citybrain.serve.whatif import WhatIfs

# A live feed that says nothing for longer than this (wall time) is shown as stale.
PROMISE_S = 5.0


class Desk:
    """One per server; the routes find it in the application's state."""

    def __init__(self, city: City, apps: Sequence[App], types: Sequence[EntityType], *, words: Words) -> None:
        self.city = city
        self.words = words
        self.units = {attribute.name: attribute.unit for each in types for attribute in each.attributes}
        self.declared: Sequence[Indicator] = [indicator for app in apps for indicator in app.indicators]
        self.closing = asyncio.Event()
        self.whatifs = WhatIfs(city)
        self._apps = apps
        self._drawn: Sequence[Entity] = ()
        self._screen = Screen(apps, ())

    @property
    def pool(self) -> Pool:
        """The shared pool of data."""
        return self.city.store.pool

    @property
    def journal(self) -> Journal:
        """What happened, kept."""
        return self.city.store.journal

    @property
    def outbox(self) -> Outbox:
        """What is to be told, in the order it was kept."""
        return self.city.store.outbox

    @property
    def runs(self) -> Runs:
        """The days of the city."""
        return self.city.store.runs

    @property
    def screen(self) -> Screen:
        """The map of the entities that the city has now."""
        if self._drawn is not self.city.entities:
            self._drawn = self.city.entities
            self._screen = Screen(self._apps, self._drawn)
        return self._screen

    async def next_picture(self, at_least_s: float) -> None:
        """Return when a picture is due: after `at_least_s`, or at once when the server closes."""
        try:
            async with asyncio.timeout(at_least_s):
                await self.closing.wait()
        except TimeoutError:
            return

    @property
    def has_picture(self) -> bool:
        """Whether there is a state to draw: after the first step, or at once where nothing is simulated."""
        return self.city.last is not None or not self.city.simulated

    def picture(self) -> dict[str, Json]:
        """The city now."""
        step = self.city.last
        batch = step.frame.batch if step else None
        return {
            "mode": "live",
            "at": batch.observed_at if batch else None,
            "received_at": batch.received_at if batch else None,
            "sent_at": utc_now(),
            "condition": self.city.condition,
            "trouble": self.city.trouble,
            "run": run_view(self.city.run),
            "speed": self.city.pace.speed,
            "vehicles": self.city.score.running if self.city.score else None,
            "feeds": self._feeds(),
            **self.screen.draw(self.pool.values),
        }

    def _feeds(self) -> list[dict[str, Json]]:
        step = self.city.last
        if step is None:
            return []
        batch = step.frame.batch
        return [_feed(batch.source, batch.observed_at, batch.received_at)]

    async def _feeds_at(self, at: datetime, run: Run | None) -> list[dict[str, Json]]:
        """What had come last by then: how old it was is told by the time that is shown."""
        last = await self.pool.past.last_batch(at, since=run.begins_at) if run else None
        return [] if last is None else [_feed(last.source, last.observed_at, last.received_at)]

    def indicators(self) -> list[IndicatorView]:
        """Every declared indicator with its newest readings."""
        return indicator_views(self.declared, self.city.readings)

    async def replayed(self, at: datetime) -> dict[str, Json]:
        """The city as it was kept for `at`: the newest value of each attribute of that day not newer than `at`."""
        run = await self.runs.at(at)
        values = await self.pool.values_at(at, since=run.begins_at if run else at)
        readings = await self.journal.readings_at(at, since=run.begins_at) if run else {}
        return {
            "mode": "replay",
            "at": at,
            "received_at": None,
            "condition": "replay",
            "trouble": {},
            "run": run_view(run),
            "speed": None,
            "vehicles": None,
            "feeds": await self._feeds_at(at, run),
            **self.screen.draw(values),
            "indicators": indicator_views(self.declared, readings),
        }


def _feed(name: str, observed_at: datetime, received_at: datetime) -> dict[str, Json]:
    return {"name": name, "observed_at": observed_at, "received_at": received_at, "promise_s": PROMISE_S}


def run_view(run: Run | None) -> Mapping[str, Json] | None:
    """A day of the city as screens show it."""
    if run is None:
        return None
    return {"number": run.number, "seed": run.number, "begins_at": run.begins_at, "ends_at": run.ends_at}
