# SPDX-License-Identifier: Apache-2.0
"""What people read of the signal controller while it works, and the comparisons that are kept."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from citybrain.apps.traffic import store
from citybrain.apps.traffic.control.modes import Mode, NoSuchSignal
from citybrain.apps.traffic.control.signals import SignalControl
from citybrain.apps.traffic.measure.shadow import Gain, Window, gain_of
from citybrain.apps.traffic.service.junction_view import Compared, JunctionView, Sayer, sayer, view
from citybrain.kernel.app import Decider
from citybrain.kernel.db import Database
from citybrain.kernel.errors import Conflict
from citybrain.kernel.records import Text

KEPT_FOR = timedelta(days=90)
"""Of city time: a season, to compare a promotion with what was before."""

SHOWN_WINDOWS = 96
"""A day of quarters of an hour."""


class NothingDecides(Conflict):
    """The city has not opened yet, or has no signals of its own."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One junction in the list: who has the say, and what the comparison came to."""

    id: str
    signals: tuple[str, ...]
    name: Text
    mode: Mode
    says: Sayer
    gain: Gain
    now: Window | None


class ShadowReport(msgspec.Struct, frozen=True, kw_only=True):
    """All junctions, those that would gain most vehicle-seconds first, and what they come to together."""

    at: datetime
    since: datetime
    total: Gain
    junctions: Sequence[Row]


class Traffic:
    """The app as a city keeps it open. It follows the decider of the day that runs."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._control: SignalControl | None = None
        self._left: list[Window] = []

    def follow(self, deciders: Sequence[Decider]) -> None:
        """A city opened: read of its controller from now on."""
        found = next((one for one in deciders if isinstance(one, SignalControl)), None)
        if self._control is not None:
            self._left += self._control.shadow.take()
        self._control = found

    @property
    def control(self) -> SignalControl:
        """The controller that works now; refuses `NothingDecides` before the first second."""
        if self._control is None or self._control.at is None:
            raise NothingDecides("traffic.nothing_decides", {})
        return self._control

    async def keep(self) -> int:
        """Keep the windows that ended since the last round; answers with how many."""
        windows, self._left = self._left, []
        if self._control is not None:
            windows += self._control.shadow.take()
        if windows:
            newest = max(one.begins_at for one in windows)
            await store.keep(self._db, windows, forget_before=newest - KEPT_FOR)
        return len(windows)

    async def report(self, hours: float) -> ShadowReport:
        """What the other one would have made of every junction in so many hours of city time."""
        control = self.control
        at = _now(control)
        since = at - timedelta(hours=hours)
        await self.keep()
        kept: dict[str, list[Window]] = {}
        for window in await store.since(self._db, since):
            kept.setdefault(window.signals[0], []).append(window)
        rows = [
            Row(
                id=mind.junction.signals[0],
                signals=mind.junction.signals,
                name=control.entity_of(mind.junction.signals[0]).name,
                mode=control.modes.joint(mind.junction.signals),
                says=sayer(control, mind.junction.signals[0], at.timestamp())[0],
                gain=gain_of(kept.get(mind.junction.signals[0], ())),
                now=control.shadow.now(number),
            )
            for number, mind in enumerate(control.minds)
        ]
        rows.sort(key=lambda row: -_saved_s(kept.get(row.id, ())))
        total = gain_of([window for windows in kept.values() for window in windows])
        return ShadowReport(at=at, since=since, total=total, junctions=rows)

    async def junction(self, signal_id: str, hours: float) -> JunctionView:
        """Everything of one junction; refuses `NoSuchSignal`."""
        control = self.control
        if not control.knows(signal_id):
            raise NoSuchSignal("traffic.no_such_signal", {"entity_id": signal_id})
        await self.keep()
        mind = control.mind_of(signal_id)
        number = control.minds.index(mind)
        at = _now(control)
        since = at - timedelta(hours=hours)
        first = mind.junction.signals[0]
        windows = await store.of_junction(self._db, first, since=since, limit=SHOWN_WINDOWS)
        brain_acts = control.modes.joint(mind.junction.signals) is Mode.BRAIN
        compared = Compared(
            other=Sayer.PLAN if brain_acts else Sayer.BRAIN,
            other_lamps=control.shadow.lamps(number),
            now=control.shadow.now(number),
            gain=gain_of(windows),
            windows=windows,
        )
        return view(control, signal_id, at, compared)


def _now(control: SignalControl) -> datetime:
    assert control.at is not None
    return control.at


def _saved_s(windows: Sequence[Window]) -> float:
    return sum(one.plan_s - one.brain_s for one in windows)
