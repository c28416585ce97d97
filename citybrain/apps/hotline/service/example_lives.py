# SPDX-License-Identifier: Apache-2.0
"""How made-up tickets go: kinds of lives, each a list of steps with their times."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random

import msgspec

from citybrain.apps.hotline.model import DESK, Channel, Intake, Receipt, Urgency
from citybrain.apps.hotline.service import citizens, desk
from citybrain.apps.hotline.service.desk import Call, FollowUp
from citybrain.apps.hotline.service.hotline import EVERYTHING, MACHINE, Hotline
from citybrain.apps.hotline.service.intake import take
from citybrain.kernel.access import Actor, DepartmentGrant, Kind, Reach, Right
from citybrain.kernel.cases.case import Case, CommentKind, MoveFacts
from citybrain.kernel.cases.satisfaction import GOOD, Satisfaction

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# Hours until an answer, the usual ones; a tenth take longer than they may.
ANSWER_H: Mapping[Urgency, tuple[float, float]] = {
    Urgency.EMERGENCY: (0.3, 1.6),
    Urgency.UTILITIES: (2, 20),
    Urgency.GENERAL: (10, 140),
    Urgency.COMPLEX: (48, 320),
}
LATE = 0.1
LATE_FACTOR = 2.5
RINGS_S = 7
RATINGS = dict(zip(Satisfaction, (38, 34, 14, 9, 5), strict=True))


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """What made-up people say."""

    texts: Mapping[str, Sequence[str]]
    answers: Mapping[str, Sequence[str]]
    places: Sequence[str]
    wishes: Sequence[str]
    surnames: str
    givens: Sequence[str]
    reasons: Mapping[str, Sequence[str]]
    notes: Sequence[str]
    said: Sequence[str]


class Step(msgspec.Struct, frozen=True):
    """Something that is done at a time."""

    at: datetime
    act: Callable[[], Awaitable[object]]


class Life:
    """One made-up ticket with those who act on it."""

    def __init__(self, hotline: Hotline, script: Script, chance: Random, intake: Intake, at: datetime) -> None:
        self.hotline = hotline
        self.script = script
        self.chance = chance
        self.intake = intake
        self.at = at
        self.receipt: Receipt | None = None
        self.case: Case | None = None

    def step(self, after: timedelta, act: Callable[[], Awaitable[object]]) -> Step:
        """A step so long after the last one."""
        self.at += after
        return Step(self.at, act)

    def some(self, low_h: float, high_h: float) -> timedelta:
        """Some hours."""
        return self.chance.uniform(low_h, high_h) * HOUR

    def say(self, what: str) -> str:
        """Something that fits."""
        return self.chance.choice(self.script.reasons[what])

    @property
    def id(self) -> int:
        """The ticket."""
        return self.receipt.case_id if self.receipt else 0

    @property
    def secret(self) -> str:
        """By what its citizen follows it."""
        return self.receipt.secret if self.receipt else ""

    @property
    def home(self) -> str:
        """Whose work it is."""
        return self.hotline.tree.department(self.intake.category)

    @property
    def is_told(self) -> bool:
        """Whether the machine hands it on by itself."""
        return self.intake.channel is not Channel.PHONE

    def answer_after(self) -> timedelta:
        """How long the department takes."""
        low, high = ANSWER_H[self.hotline.tree.urgency(self.intake.category)]
        late = self.chance.random() < LATE
        return self.some(low, high) * (LATE_FACTOR if late else 1)

    async def open(self) -> None:
        """It is told, by telephone with a call."""
        intake = self.intake
        if intake.channel is Channel.PHONE:
            intake = msgspec.structs.replace(intake, call_id=await self._ring())
        actor = MACHINE if self.is_told else clerk(DESK)
        self.receipt = await take(self.hotline, actor, intake, now=self.at)

    async def _ring(self) -> int:
        waited_s = round(self.chance.expovariate(1 / RINGS_S), 1)
        lasted = timedelta(minutes=self.chance.uniform(1, 9))
        key = f"example:{self.chance.getrandbits(48):x}"
        call = Call(key=key, phone=self.intake.caller.phone, rang_at=self.at - lasted, answered_after_s=waited_s)
        call = msgspec.structs.replace(call, ended_at=self.at, agent=f"{DESK}.clerk")
        return (await desk.ring(self.hotline, call)).call_id

    async def missed(self) -> None:
        """A call that nobody answered."""
        key = f"example:{self.chance.getrandbits(48):x}"
        await desk.ring(self.hotline, Call(key=key, phone=self.intake.caller.phone, rang_at=self.at))

    async def move(self, move: str, facts: MoveFacts | None = None, *, by: str = "") -> None:
        """A move by a clerk of the department that has it, or a named one."""
        case = await self.hotline.cases.get(MACHINE, self.id)
        await self.hotline.cases.move(clerk(by or case.department), self.id, move, facts or MoveFacts())

    async def dispatch(self) -> None:
        """The desk hands it on."""
        await self.move("dispatch", MoveFacts(department=self.home, reason=self.say("dispatch")))

    async def answer(self, move: str = "answer") -> None:
        """The department answers."""
        top = self.intake.category.partition(".")[0]
        resolution = self.chance.choices(("resolved", "explained", "unfounded"), (75, 20, 5))[0]
        text = self.chance.choice(self.script.answers[top])
        await self.move(move, MoveFacts(answer=text, fields={"resolution": resolution}))

    async def rate(self, level: Satisfaction | None = None) -> None:
        """The citizen says how content they are."""
        level = level or self.chance.choices(list(RATINGS), list(RATINGS.values()))[0]
        note = self.chance.choice(self.script.notes[:3]) if level in GOOD and self.chance.random() < 0.3 else ""
        await citizens.rate(self.hotline, self.secret, level, resolved=level in GOOD, note=note, now=self.at)

    async def call_back(self) -> None:
        """The desk asks whether it helped."""
        reached = self.chance.random() < 0.8
        level = self.chance.choices(list(RATINGS), list(RATINGS.values()))[0] if reached else None
        note = self.chance.choice(self.script.notes[:3] if reached else self.script.notes[3:])
        said = FollowUp(reached=reached, resolved=level in GOOD if reached else None, satisfaction=level, note=note)
        await desk.follow_up(self.hotline, clerk(DESK), self.id, said, now=self.at)


def clerk(department: str, role: str = "clerk") -> Actor:
    """A made-up clerk, who sees all and works in one department; the desk hands on whatever lies anywhere."""
    here = Right(reach=Reach(departments=frozenset({department})))
    rights = {f"case.{verb}": EVERYTHING if department == DESK else here for verb in ("work", "assign", "transfer")}
    name = f"{department}.{role}"
    return Actor(
        name=name,
        account=name,
        kind=Kind.STAFF,
        departments=(DepartmentGrant(department=department, role=role),),
        rights={**rights, "case.view": EVERYTHING, "case.open": EVERYTHING},
    )


def _begun(life: Life) -> Iterator[Step]:
    """Told, and handed on."""
    yield life.step(timedelta(0), life.open)
    if not life.is_told:
        yield life.step(life.some(0.05, 1.2), life.dispatch)


def _accepted(life: Life) -> Iterator[Step]:
    yield from _begun(life)
    yield life.step(min(life.some(0.2, 8), life.answer_after() / 2), lambda: life.move("accept"))


def _ended(life: Life) -> Iterator[Step]:
    """Answered, rated by some, closed."""
    yield life.step(life.answer_after(), life.answer)
    asked = life.chance.random()
    if asked < 0.35 and life.is_told:
        yield life.step(life.some(1, 40), life.rate)
    elif asked < 0.8:
        yield life.step(life.some(4, 60), life.call_back)
    yield life.step(life.some(12, 72), lambda: life.move("close"))


def usual(life: Life) -> Iterator[Step]:
    """As most go."""
    yield from _accepted(life)
    if life.chance.random() < 0.15 and life.is_told:
        said = life.chance.choice(life.script.said)
        yield life.step(life.some(1, 6), lambda: citizens.add(life.hotline, life.secret, said, now=life.at))
    yield from _ended(life)


def at_once(life: Life) -> Iterator[Step]:
    """Answered by the desk while the caller is on the line."""
    life.intake = msgspec.structs.replace(life.intake, channel=Channel.PHONE)
    yield life.step(timedelta(0), life.open)
    yield life.step(timedelta(minutes=4), lambda: life.answer("answer_now"))
    yield life.step(life.some(1, 24), lambda: life.move("close"))


def refused(life: Life) -> Iterator[Step]:
    """Not for the hotline."""
    life.intake = msgspec.structs.replace(life.intake, channel=Channel.PHONE)
    yield life.step(timedelta(0), life.open)
    yield life.step(life.some(0.2, 2), lambda: life.move("refuse", MoveFacts(reason=life.say("refuse"))))


def waits(life: Life) -> Iterator[Step]:
    """Something is missing: it rests for days."""
    yield from _accepted(life)
    yield life.step(life.some(1, 6), lambda: life.move("wait", MoveFacts(reason=life.say("wait"))))
    yield life.step(life.some(120, 400), lambda: life.move("go_on"))
    yield from _ended(life)


def sent_back(life: Life) -> Iterator[Step]:
    """Not theirs: back to the desk, which hands it on again."""
    yield from _accepted(life)
    back = MoveFacts(department=DESK, reason=life.say("send_back"))
    yield life.step(life.some(1, 10), lambda: life.move("send_back", back))
    yield life.step(life.some(0.3, 3), life.dispatch)
    yield life.step(life.some(0.3, 6), lambda: life.move("accept"))
    yield from _ended(life)


def handed_on(life: Life) -> Iterator[Step]:
    """Another department turns out to be right."""
    yield from _accepted(life)
    to = "housing" if life.home != "housing" else "city_management"
    yield life.step(
        life.some(1, 12), lambda: life.hotline.cases.transfer(clerk(DESK), life.id, to, life.say("transfer"))
    )
    yield life.step(life.some(1, 6), lambda: life.move("accept"))
    yield from _ended(life)


def joint(life: Life) -> Iterator[Step]:
    """Two departments do it together."""
    yield from _accepted(life)
    other = "city_management" if life.home != "city_management" else "housing"
    task = life.say("join")
    yield life.step(life.some(0.5, 3), lambda: life.hotline.cases.join(clerk(DESK), life.id, other, task))
    told = CommentKind.INTERNAL
    yield life.step(
        life.some(2, 10), lambda: life.hotline.cases.comment(clerk(DESK), life.id, told, "已到现场，情况属实。")
    )
    yield from _ended(life)


def asked_again(life: Life) -> Iterator[Step]:
    """The answer does not help: rated badly, and taken up again after it was closed."""
    life.intake = msgspec.structs.replace(life.intake, channel=Channel.WEB)
    yield from _accepted(life)
    yield life.step(life.answer_after(), life.answer)
    yield life.step(life.some(1, 10), lambda: life.move("close"))
    yield life.step(life.some(2, 20), lambda: life.rate(Satisfaction.DISSATISFIED))
    reason = life.say("redo")
    yield life.step(life.some(0.1, 2), lambda: citizens.reopen(life.hotline, life.secret, reason, now=life.at))
    yield life.step(life.answer_after(), life.answer)
    yield life.step(life.some(12, 72), lambda: life.move("close"))


def supervised(life: Life) -> Iterator[Step]:
    """Somebody above wants it done."""
    yield from _accepted(life)
    at = life.at + life.some(1, 12)

    async def demand() -> None:
        head = clerk(DESK, "head")
        await desk.supervise(life.hotline, head, life.id, life.say("supervise"), at + 3 * DAY, now=at)

    yield life.step(at - life.at, demand)
    yield from _ended(life)


def told_twice(life: Life) -> Iterator[Step]:
    """A neighbour tells the same: one ticket in the end."""
    yield from _accepted(life)
    other = Life(life.hotline, life.script, life.chance, life.intake, life.at)
    yield life.step(life.some(0.2, 2), other.open)
    merging = life.say("merge")
    yield life.step(life.some(0.2, 1), lambda: life.hotline.cases.merge(clerk(DESK), life.id, [other.id], merging))
    yield from _ended(life)


def fresh(life: Life) -> Iterator[Step]:
    """Still with the desk."""
    life.intake = msgspec.structs.replace(life.intake, channel=Channel.PHONE)
    yield life.step(timedelta(0), life.open)


def hung_up(life: Life) -> Iterator[Step]:
    """Nobody answered; called again, and then as usual."""
    life.intake = msgspec.structs.replace(life.intake, channel=Channel.PHONE)
    yield life.step(timedelta(0), life.missed)
    life.at += timedelta(minutes=6)
    yield from usual(life)


LIVES: Mapping[str, tuple[Callable[[Life], Iterator[Step]], int]] = {
    "usual": (usual, 62),
    "at_once": (at_once, 8),
    "refused": (refused, 2),
    "waits": (waits, 3),
    "sent_back": (sent_back, 5),
    "handed_on": (handed_on, 4),
    "joint": (joint, 3),
    "asked_again": (asked_again, 4),
    "supervised": (supervised, 3),
    "told_twice": (told_twice, 3),
    "hung_up": (hung_up, 3),
    "fresh": (fresh, 0),
}
"""Kinds of lives with how many of a hundred go so."""

EACH: Sequence[tuple[str, timedelta]] = (
    ("refused", 5 * DAY),
    ("waits", 4 * DAY),
    ("told_twice", 6 * DAY),
    ("fresh", timedelta(minutes=3)),
    ("usual", 2 * HOUR),
    ("usual", 20 * HOUR),
    ("at_once", timedelta(minutes=30)),
    ("asked_again", 40 * DAY),
    ("supervised", 3 * DAY),
    ("joint", 2 * DAY),
    ("handed_on", 30 * DAY),
    ("sent_back", 35 * DAY),
)
"""Lives that every example has, by how long ago they began: together they stand in every state."""
