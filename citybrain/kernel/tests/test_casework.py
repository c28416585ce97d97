# SPDX-License-Identifier: Apache-2.0
from datetime import timedelta

from citybrain.kernel.access.actor import EVERYTHING, Actor, Kind, Right
from citybrain.kernel.cases.case import Opening
from citybrain.kernel.cases.case_type import CaseType, Move, Phase, State
from citybrain.kernel.cases.rights import PERMISSIONS
from citybrain.kernel.clock import utc_now
from citybrain.kernel.store import Store

LI = Actor(name="li", account="li", kind=Kind.STAFF, rights=dict.fromkeys(PERMISSIONS, Right(reach=EVERYTHING)))
LAMP = CaseType(
    id="lamp",
    name={"zh": "路灯", "en": "Lamp"},
    initial="new",
    states={"new": State(), "done": State(phase=Phase.CLOSED)},
    moves=(Move(name="finish", from_=("new",), to="done"),),
    form={
        "properties": {"dark": {"type": "boolean"}},
        "if": {"properties": {"dark": {"const": True}}, "required": ["dark"]},
        "then": {"properties": {"since": {"type": "string"}}},
    },
    deadlines=({"name": "answer", "within": "2h", "warn": ["50%"]},),
)


async def test_in_an_open_city_cases_have_forms_time_limits_and_alarms(store: Store) -> None:
    await store.cases.types.put(LAMP, by="city", now=utc_now() - timedelta(hours=1))
    opening = Opening(type="lamp", title="x", department="lights", assignee="li", fields={"dark": False, "since": "y"})
    case = await store.cases.open(LI, opening)
    assert case.fields == {"dark": False}, "hidden parts are dropped"
    assert case.due_at == case.created_at + timedelta(hours=2)
    ring = next(do for name, _, do in store.casework.chores if name == "case_alarms")
    assert await ring(case.created_at + timedelta(minutes=61)) == 1
    (notice,) = await store.casework.notices.desk("li")
    assert case.number in notice.subject
    for _, _, do in store.casework.chores:
        await do(utc_now())
