# SPDX-License-Identifier: Apache-2.0
"""Personal fields of cases: encrypted where they lie, masked when shown, revealed with a reason, found by hash."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from citybrain.kernel.access import Fields, NotPermitted, Reach, Right, Shown
from citybrain.kernel.access.actor import EVERYTHING, Actor, Kind
from citybrain.kernel.audit import AuditQuery, search
from citybrain.kernel.cases.acts import Edit
from citybrain.kernel.cases.case import Case, MoveFacts, Opening, replay
from citybrain.kernel.cases.case_type import CaseType, Move, Phase, State
from citybrain.kernel.cases.drafts import Owner
from citybrain.kernel.cases.notice import Channel
from citybrain.kernel.cases.notices import Address
from citybrain.kernel.cases.personal import STILL_NEEDED, NotPersonal
from citybrain.kernel.cases.query import CaseQuery, Order
from citybrain.kernel.cases.refusals import FieldsRefused, NoSuchCase
from citybrain.kernel.cases.rights import PERMISSIONS, REVEAL, VIEW
from citybrain.kernel.cases.sealing import WORD
from citybrain.kernel.cases.tables import Form
from citybrain.kernel.clock import utc_now
from citybrain.kernel.crypto import Use
from citybrain.kernel.errors import Conflict
from citybrain.kernel.privacy.people import ReasonMissing, RevealRefused
from citybrain.kernel.records import Facts
from citybrain.kernel.store import Store

PHONE, NAME = "13800138000", "王小明"
LONG = timedelta(days=365)


def _personal(name: str, sort: str, **retention: Any) -> Facts:
    keep = {"keep": "P365D", **retention}
    return {"name": name, "purpose": "answer", "legal_basis": "duty", "retention": keep, "sort": sort}


REPORT = CaseType(
    id="report",
    name={"zh": "举报", "en": "Report"},
    initial="new",
    states={"new": State(), "done": State(phase=Phase.CLOSED)},
    moves=(
        Move(name="note", from_=("new",), to="new"),
        Move(name="finish", from_=("new",), to="done", fields=("phone",)),
        Move(name="again", from_=("done",), to="new"),
    ),
    form={
        "type": "object",
        "x-purpose": "answer",
        "properties": {
            "text": {"type": "string"},
            "phone": {"type": "string", "pattern": "^1[0-9]{10}$", "x-personal": True},
            "name": {"type": "string", "x-personal": True},
            "home": {"type": "string", "x-personal": True},
            "licence": {"type": "object", "x-personal": True},
        },
        "additionalProperties": False,
    },
    searched=("text", "name"),
    personal=(
        _personal("phone", "phone"),
        _personal("name", "name"),
        _personal("home", "address", then="anonymise"),
        _personal("licence", "other", then="keep_by_law", law="档案法"),
    ),
)
FIELDS: Facts = {"text": "占道经营", "phone": PHONE, "name": NAME, "home": "北京市海淀区中关村大街1号"}
MASKED = {"text": "占道经营", "phone": "138****8000", "name": "王**", "home": "北京市海淀区***"}


def actor(name: str = "li", *, without: Sequence[str] = (), fields: Fields | None = None) -> Actor:
    shown = fields or Fields(otherwise=Shown.MASKED)
    right = Right(reach=EVERYTHING, fields=shown)
    rights = {each: right for each in PERMISSIONS if each not in without}
    return Actor(name=name, account=name, kind=Kind.STAFF, rights=rights)


LI = actor()


@pytest.fixture
async def case(store: Store) -> Case:
    await store.cases.types.put(REPORT, by="city", now=utc_now() - timedelta(hours=1))
    return await store.cases.open(LI, Opening(type="report", title="举报", department="roads", fields=FIELDS))


async def everything(store: Store) -> str:
    """All that lies in the tables of cases, as text."""
    found = ""
    for table in ("city_case", "case_event", "case_words", "case_secret", "outbox_shared", "audit_entry"):
        rows = await store.db.read(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} t", as_=str)  # noqa: S608
        found += rows[0]
    return found


async def test_nothing_personal_lies_in_clear(store: Store, case: Case) -> None:
    await store.cases.move(LI, case.id, "note", MoveFacts(fields={"name": "欧阳修文"}))
    await store.cases.edit(LI, case.id, Edit(fields={"phone": "13911112222"}))
    lies = await everything(store)
    assert "占道经营" in lies
    for value in (PHONE, NAME, "欧阳", "中关村", "13911112222", PHONE.encode().hex(), NAME.encode().hex()):
        assert value not in lies, value


async def test_what_is_read_is_masked_also_for_who_may_see_it_in_clear(store: Store, case: Case) -> None:
    clear = actor(fields=Fields(otherwise=Shown.CLEAR))
    for who in (LI, clear):
        assert dict((await store.cases.get(who, case.id)).fields) == MASKED
        page = await store.cases.find(who, CaseQuery(types=("report",), order=Order.NEWEST))
        assert dict(next(each for each in page.cases if each.id == case.id).fields) == MASKED
        story = await store.cases.story(who, case.id)
        assert (dict(story.case.fields), story.events[0].changes["fields"]) == (MASKED, MASKED)
        detail = await store.casework.details.of(who, case.id)
        assert (dict(detail.case.fields), detail.events[0].changes["fields"]) == (MASKED, MASKED)
    assert case.fields["phone"].startswith(WORD), "a verb answers with words, which say nothing"
    assert [dict(each.fields) for each in await store.cases.covered(LI, case)] == [MASKED]
    hidden = actor(fields=Fields(named={"phone": Shown.HIDDEN}, otherwise=Shown.MASKED))
    assert (await store.cases.get(hidden, case.id)).fields["phone"] == ""


async def test_rules_of_the_form_and_of_moves_see_the_values(store: Store, case: Case) -> None:
    with pytest.raises(FieldsRefused):
        await store.cases.move(LI, case.id, "note", MoveFacts(fields={"phone": "12"}))
    with pytest.raises(FieldsRefused):
        await store.cases.edit(LI, case.id, Edit(fields={"phone": "nonsense"}))
    await store.cases.move(LI, case.id, "note", MoveFacts(fields={"text": "又来了"}))
    await store.cases.move(LI, case.id, "finish")
    assert (await store.cases.get(LI, case.id)).fields["phone"] == "138****8000"


async def test_a_masked_value_that_comes_back_from_a_page_changes_nothing(store: Store, case: Case) -> None:
    await store.cases.edit(LI, case.id, Edit(fields={"home": MASKED["home"], "text": "改"}))
    assert (await _reveal(store, LI, case, "home"))["home"] == FIELDS["home"]
    assert (await store.cases.history(LI, case.id))[-1].changes["fields"]["home"] == case.fields["home"]


async def test_history_makes_the_case_again(store: Store, case: Case) -> None:
    await store.cases.move(LI, case.id, "note", MoveFacts(fields={"name": "李四"}))
    now = await store.cases.edit(LI, case.id, Edit(fields={"phone": "13911112222"}))
    assert replay(await store.cases.history(LI, case.id)) == now
    assert now.fields["home"] == case.fields["home"]
    assert now.fields["name"] != case.fields["name"]


async def test_a_case_without_personal_fields_writes_nothing_more(store: Store) -> None:
    moves = (Move(name="finish", from_=("new",), to="done"),)
    plain = msgspec.structs.replace(REPORT, id="plain", personal=(), form={}, searched=(), moves=moves)
    await store.cases.types.put(plain, by="city", now=utc_now() - timedelta(hours=1))
    case = await store.cases.open(LI, Opening(type="plain", title="x", department="roads", fields={"text": "sealed:1"}))
    assert (await store.cases.edit(LI, case.id, Edit(fields={"b": 2}))).fields == {"text": "sealed:1", "b": 2}
    params = {"id": case.id}
    assert await store.db.read("SELECT count(*) FROM case_secret WHERE case_id = %(id)s", params, as_=int) == [0]


async def _reveal(store: Store, who: Actor, case: Case, *names: str, reason: str = "回访核实情况") -> dict[str, Any]:
    return await store.casework.personal.reveal(store.people, who, case.id, names, reason)


async def test_it_is_revealed_with_a_reason_and_written_down(store: Store, case: Case) -> None:
    assert await _reveal(store, LI, case, "phone", "name") == {"phone": PHONE, "name": NAME}
    async with store.db.transaction() as transaction:
        (entry,) = await search(transaction, AuditQuery(act="privacy.reveal", object=f"case:{case.id}"))
    assert (entry.actor, msgspec.json.decode(entry.facts)["fields"]) == ("li", ["phone", "name"])
    looks = await store.people.looks([store.people.mark("phone", f"+86 {PHONE}")])
    assert (looks[0].account, looks[0].object, looks[0].reason) == ("li", f"case:{case.id}", "回访核实情况")


async def test_nobody_reveals_without_reason_right_or_value(store: Store, case: Case) -> None:
    with pytest.raises(ReasonMissing):
        await _reveal(store, LI, case, "phone", reason=" ")
    with pytest.raises(NotPermitted):
        await _reveal(store, actor(without=(REVEAL,)), case, "phone")
    with pytest.raises(NoSuchCase):
        await _reveal(store, actor(without=(VIEW,)), case, "phone")
    for name in ("text", "licence", "nothing"):
        with pytest.raises(NotPersonal):
            await _reveal(store, LI, case, name)
    with pytest.raises(NotPersonal):
        await _reveal(store, LI, case)
    with pytest.raises(RevealRefused):
        await _reveal(store, actor(fields=Fields(named={"phone": Shown.HIDDEN})), case, "phone")
    elsewhere = actor()
    rights = {**elsewhere.rights, REVEAL: Right(reach=Reach(departments=frozenset({"water"})))}
    with pytest.raises(NotPermitted):
        await _reveal(store, msgspec.structs.replace(elsewhere, rights=rights), case, "phone")
    async with store.db.transaction() as transaction:
        assert await search(transaction, AuditQuery(act="privacy.reveal", object=f"case:{case.id}")) == []


async def test_a_value_opens_at_its_own_place_alone(store: Store, case: Case) -> None:
    other = await store.cases.open(LI, Opening(type="report", title="x", department="roads", fields=FIELDS))
    theft = (
        "UPDATE case_secret s SET value = o.value FROM case_secret o "
        "WHERE s.case_id = %(a)s AND s.field = 'name' AND o.case_id = %(b)s AND o.field = 'phone'"
    )
    await store.db.write(theft, {"a": other.id, "b": case.id})
    with pytest.raises(Conflict, match="not_as_encrypted"):
        await _reveal(store, LI, other, "name")
    await store.db.write("DELETE FROM case_secret WHERE case_id = %(id)s", {"id": other.id})


async def test_it_is_found_by_the_whole_identifier_and_by_nothing_else(store: Store, case: Case) -> None:
    async def found(**query: Any) -> bool:
        page = await store.cases.find(LI, CaseQuery(order=Order.NEWEST, **query))
        assert page.total is None or not query.get("identifier")
        return case.id in [each.id for each in page.cases]

    assert await found(identifier="+86 138-0013-8000")
    assert not await found(identifier="13800138001")
    assert not await found(identifier="1380013")
    assert not await found(identifier=NAME)
    assert await found(words="占道")
    assert not await found(words=NAME)
    assert not await found(words=PHONE)


async def test_a_list_is_taken_along_in_clear_with_right_and_reason_and_the_person_reads_so(
    store: Store, case: Case
) -> None:
    clear = actor("wang", fields=Fields(otherwise=Shown.CLEAR))
    query = CaseQuery(types=("report",), order=Order.NEWEST, identifier=PHONE)

    async def taken(who: Actor, reason: str) -> str:
        columns = ["number", "fields.phone", "fields.name"]
        pieces = await store.casework.export.write(who, query, columns, form=Form.CSV, lang="zh", reason=reason)
        return b"".join([each async for each in pieces]).decode()

    for who, reason in ((clear, ""), (LI, ""), (LI, "移交法院审理")):
        assert "138****8000" in await taken(who, reason)
        assert PHONE not in await taken(who, reason)
    assert f"{case.number},{PHONE},{NAME}" in (await taken(clear, "移交法院审理")).replace('"', "")
    looks = [each for each in await store.people.looks([store.people.mark("phone", PHONE)]) if each.account == "wang"]
    assert {(each.object, each.reason) for each in looks} >= {(f"case:{case.id}", "移交法院审理")}
    assert all(each.purpose == "export" for each in looks)


async def test_a_person_takes_out_what_is_theirs_and_has_it_erased_when_it_is_done(store: Store) -> None:
    fields = {**FIELDS, "phone": "13722223333", "licence": {"number": "京A1"}}
    case = await store.cases.open(LI, Opening(type="report", title="x", department="roads", fields=fields))
    await store.cases.edit(LI, case.id, Edit(fields={"name": "王大明"}))
    marks = [store.people.mark("phone", "13722223333")]
    told: Any = (await store.people.take_out(LI, marks))["parts"]["cases"]
    assert [(each["number"], each["fields"]["name"]) for each in told] == [(case.number, "王大明")]
    assert told[0]["fields"]["licence"] == {"number": "京A1"}
    kept = (await store.people.erase(LI, marks, why="asked for", now=utc_now()))["cases"]
    assert (kept.erased, kept.kept, kept.laws) == (0, 5, (STILL_NEEDED,))
    done = await store.cases.move(LI, case.id, "finish")
    gone = (await store.people.erase(LI, marks, why="asked for", now=utc_now()))["cases"]
    assert (gone.erased, gone.anonymised, gone.kept, gone.laws) == (3, 1, 1, ("档案法",))
    shown = dict((await store.cases.get(LI, case.id)).fields)
    assert shown == {"text": "占道经营", "phone": "", "name": "", "home": "北京市海淀区***", "licence": "***"}
    assert replay(await store.cases.history(LI, case.id)) == done, "history stays as it was written"
    with pytest.raises(NotPersonal):
        await _reveal(store, LI, case, "name")
    again: Any = (await store.people.take_out(LI, marks))["parts"]["cases"]
    assert again == []


async def test_what_is_due_goes_by_itself_and_what_is_not_stays(store: Store) -> None:
    async def opened() -> Case:
        return await store.cases.open(LI, Opening(type="report", title="x", department="roads", fields=FIELDS))

    late, early, under_way = await opened(), await opened(), await opened()
    for each in (late, early):
        await store.cases.move(LI, each.id, "finish")
    now = utc_now()
    ago = "UPDATE city_case SET closed_at = %(at)s WHERE id = %(id)s"
    await store.db.write(ago, {"id": late.id, "at": now - LONG})
    await store.db.write(ago, {"id": early.id, "at": now - LONG + timedelta(minutes=5)})
    gone = (await store.people.forget_due(now))["cases"]
    assert (gone.erased, gone.anonymised) == (2, 1)
    assert (await store.cases.get(LI, late.id)).fields["phone"] == ""
    assert (await store.cases.get(LI, early.id)).fields["phone"] == "138****8000"
    assert (await store.cases.get(LI, under_way.id)).fields["phone"] == "138****8000"
    assert await store.people.forget_due(now) == {}


async def test_all_that_is_encrypted_follows_the_newest_key(store: Store, case: Case) -> None:
    now = utc_now()
    await store.access.add_account("wu", "correct horse battery", roles=(), now=now)
    await store.access.factors.begin("wu", now=now)
    await store.casework.drafts.save(Owner.account("wu"), "case:1", {"text": "half"}, now=now)
    address = Address(channel=Channel.EMAIL, address="wu@example.cn", lang="zh")
    await store.casework.notices.set_address("wu", address)
    store.keys.rotate(now=now, uses=(Use.DATA,))
    first = await store.renewal.renew(now)
    assert {name for name, count in first.items() if count} >= {"cases", "second_factor", "drafts", "notice_addresses"}
    assert not any((await store.renewal.renew(now)).values())
    old = [key.number for key in store.keys.keys if key.use is Use.DATA][:-1]
    store.keys.forget(old)
    assert (await _reveal(store, LI, case, "phone")) == {"phone": PHONE}
    assert (await store.casework.drafts.get(Owner.account("wu"), "case:1", now=now)).values == {"text": "half"}
