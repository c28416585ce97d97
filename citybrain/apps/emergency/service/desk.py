# SPDX-License-Identifier: Apache-2.0
"""The open emergency desk: shipped plans, the type of its tasks, and the words of its reports."""

from datetime import datetime
from pathlib import Path

import msgspec

from citybrain.apps.emergency import store as kept
from citybrain.apps.emergency.model import Plan
from citybrain.kernel.access import Actor, Kind, Reach, Right
from citybrain.kernel.audit.recording import record
from citybrain.kernel.cases.case_type import CaseType
from citybrain.kernel.errors import Conflict, Invalid
from citybrain.kernel.i18n import load_words
from citybrain.kernel.records import Severity
from citybrain.kernel.store import Store

FOLDER = Path(__file__).parents[1]
SEED = FOLDER / "seed"
TASK = "emergency_task"
EVERYTHING = Right(reach=Reach(all=True))
MACHINE = Actor(
    name="emergency",
    account="emergency",
    kind=Kind.SERVICE,
    rights={f"case.{verb}": EVERYTHING for verb in ("view", "open", "work", "assign", "transfer")},
)
"""The desk itself, when it opens the cases of tasks that people gave."""


class PlanChanged(Conflict):
    """Somebody made a newer version meanwhile."""


class PlanUnusable(Invalid):
    """A plan that could not be followed: a level or role that is none, a name that is missing."""


class EmergencyDesk:
    """The parts of the open desk."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.db = store.db
        self.words = load_words([FOLDER])

    async def ship(self, now: datetime) -> None:
        """Plans and the type of tasks, if the city has none; what was edited is left alone."""
        definition = msgspec.json.decode((SEED / f"{TASK}.json").read_bytes(), type=CaseType)
        if not await self.store.cases.types.versions(TASK):
            await self.store.cases.types.put(definition, by="emergency", now=now)
        known = {each.id for each in await kept.plans(self.db)}
        for plan in msgspec.json.decode((SEED / "plans.json").read_bytes(), type=list[Plan]):
            if plan.id not in known:
                async with self.db.transaction() as transaction:
                    first = msgspec.structs.replace(plan, version=1)
                    await kept.add_plan(transaction, first, by="emergency", at=now)


async def put_plan(desk: EmergencyDesk, actor: Actor, id: str, plan: Plan, *, now: datetime) -> Plan:
    """A new version of a plan, for what is declared once it is in force. `version` is the newest one, before it."""
    if plan.id != id:
        raise PlanUnusable("emergency.plan_unusable", {"why": "id", "what": plan.id})
    check(plan)
    newest = next((each.version for each in await kept.plans(desk.db) if each.id == id), 0)
    if plan.version != newest:
        raise PlanChanged("emergency.plan_changed", {"id": id, "version": newest})
    after = msgspec.structs.replace(plan, version=newest + 1)
    async with desk.db.transaction() as transaction:
        if not await kept.add_plan(transaction, after, by=actor.account, at=now):
            raise PlanChanged("emergency.plan_changed", {"id": id, "version": newest + 1})
        facts = {"version": after.version}
        await record(transaction, actor=actor, act="emergency.plan_put", object=f"emergency_plan:{id}", facts=facts)
    return after


def check(plan: Plan) -> None:
    """Refuse a plan that could not be followed."""
    roles = {each.id for each in plan.roles}
    strange = [level for level in plan.responses if level not in set(Severity)]
    twice = [each.id for each in plan.roles if sum(other.id == each.id for other in plan.roles) > 1]
    unknown = [role for response in plan.responses.values() for role in response.roles if role not in roles]
    numbers = [(level, task.number) for level, response in plan.responses.items() for task in response.tasks]
    late = [task.title for response in plan.responses.values() for task in response.tasks if task.minutes < 1]
    for why, what in (
        ("level", strange),
        ("role", unknown),
        ("role_twice", twice),
        ("number", [number for number in numbers if numbers.count(number) > 1]),
        ("minutes", late),
        ("name", [] if all(plan.name.get(lang) for lang in ("zh", "en")) else [plan.id]),
        ("responses", [] if plan.responses else [plan.id]),
    ):
        if what:
            raise PlanUnusable("emergency.plan_unusable", {"why": why, "what": str(what[0])})
