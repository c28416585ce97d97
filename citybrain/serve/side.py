# SPDX-License-Identifier: Apache-2.0
"""One arm of the comparison: its field, the machines in its street, its loop, and the step it made last."""

import asyncio
from collections.abc import Collection, Sequence

import msgspec

from citybrain.kernel.app import Following, Frame, HostedField
from citybrain.kernel.clock import utc_now
from citybrain.kernel.executing import Executing
from citybrain.kernel.loop import NOTHING, Loop, Sensed, Step
from citybrain.kernel.records import Entity, Event, Order, Outcome, OutcomeState
from citybrain.kernel.sensing import Sensing
from citybrain.serve import catalog


class Side:
    """One arm. `decide`: whether the apps give orders. Machines that `executing` drives count before the field.

    `followers` are told of the deciders whenever the apps begin. What `sensing` finds is looked at beside the field.
    What others carried out of the means in `plays`, the field plays along with a second later; it answers nobody.
    """

    def __init__(
        self,
        arm: str,
        field: HostedField,
        *,
        decide: bool,
        executing: Executing | None = None,
        followers: Sequence[Following] = (),
        sensing: Sensing | None = None,
    ) -> None:
        self.arm = arm
        self.field = field
        self.entities: Sequence[Entity] = ()
        self.last: Step | None = None
        self._decide = decide
        self._followers = followers
        self._sensing = sensing
        self.plays: Collection[str] = ()
        self._given: dict[str, Order] = {}
        self._along: tuple[Order, ...] = ()
        self._executing = executing or Executing()
        self._of_field: Sequence[Entity] = ()
        self._loop: Loop | None = None
        self._going: dict[str, Event] = {}
        self._left: tuple[Event, ...] = ()

    async def start(self) -> None:
        """Open the field and begin the apps on what it has."""
        self._of_field = await self.field.start()
        self.begin()

    @property
    def has_news(self) -> bool:
        """A machine says something else of itself than what the apps began on."""
        return self._executing.has_news

    def begin(self) -> None:
        """Begin the apps on what there is now, with nothing in mind: orders that stand must be given to them again."""
        self.entities = self._executing.adopt(self._of_field)
        self._left, self._going = (*self._left, *self._going.values()), {}
        sensed = self._sensing.entities() if self._sensing else ()
        self._loop = Loop(catalog.apps(), (*self.entities, *sensed), arm=self.arm, decide=self._decide)
        for one in self._followers:
            one.follow(self._loop.deciders)

    def left_open(self) -> tuple[Event, ...]:
        """The events that were going when the apps began anew, told once: nobody minds them any more, and what still
        holds opens anew."""
        left, self._left = self._left, ()
        return left

    def executes(self, means: str) -> bool:
        """Whether an app of this arm carries a means out itself."""
        return self._loop is not None and self._loop.executes(means)

    async def step(self, extra: Sequence[Order], *, vehicles: bool, sensed: Sensed = NOTHING) -> Step:
        """Carry out the last step's orders and those of people, and run the loop on what the street answers.

        Machines are given their orders while the field goes on; one that answers late has its outcome in a later step.
        """
        assert self._loop is not None
        at_home, abroad = self._loop.split(extra)
        ours, fields = self._executing.split((*self.last.abroad, *abroad) if self.last else abroad)
        at = self.last.frame.batch.observed_at if self.last else max((order.at for order in ours), default=utc_now())
        frame, outcomes = await asyncio.gather(
            self.field.step((*fields, *self._along), vehicles=vehicles), self._executing.obey(ours, at)
        )
        frame = self._without_along(frame)
        self._play_along(ours, outcomes)
        self.last = self._loop.step(self._executing.merge(frame, outcomes), at_home, sensed)
        for event in self.last.events:
            self._going[event.id] = event
            if event.ended_at is not None:
                del self._going[event.id]
        return self.last

    def _play_along(self, ours: Sequence[Order], outcomes: Sequence[Outcome]) -> None:
        """Note what the field is to play along with in the next second: what others have carried out by now."""
        self._given.update({order.id: order for order in ours if order.means in self.plays})
        answered = [(self._given.pop(each.order_id, None), each.state) for each in outcomes]
        self._along = tuple(order for order, state in answered if order and state is OutcomeState.EXECUTED)

    def _without_along(self, frame: Frame) -> Frame:
        if not self._along:
            return frame
        played = {order.id for order in self._along}
        theirs = tuple(each for each in frame.outcomes if each.order_id not in played)
        return msgspec.structs.replace(frame, outcomes=theirs)
