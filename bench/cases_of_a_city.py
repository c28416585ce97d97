# SPDX-License-Identifier: Apache-2.0
"""A city's archive of cases for measurements: what two years leave behind, loaded fast."""

import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from random import Random

import msgspec

sys.path.insert(0, str(Path(__file__).parents[1]))

from citybrain.kernel.access.actor import Actor, Kind, Reach, Right
from citybrain.kernel.cases.case import Case
from citybrain.kernel.cases.case_type import CaseType, Move, Phase, State
from citybrain.kernel.cases.case_types import CaseTypes
from citybrain.kernel.cases.rights import PERMISSIONS
from citybrain.kernel.cases.words import words_of
from citybrain.kernel.cases.work import count_params, counted_as
from citybrain.kernel.clock import utc_now
from citybrain.kernel.db import Database, to_json

TYPES, DEPARTMENTS, CLERKS = 100, 200, 15
NOW = utc_now()
PLACES = "中关村大街 学院路 长安街 人民路 解放路 建设路 和平里 光明路 望京街 朝阳门 西直门 滨河路 文化路 科技园 工业路"
WHATS = "路面破损 井盖缺失 路灯不亮 积水严重 垃圾清运不及时 施工噪音扰民 违章停车 水管漏水 供暖不热 树木倒伏 "
WHATS += "公交晚点 油烟扰民 占道经营 电梯故障 物业收费"
TEXT = "市民反映{place}{number}号附近{what}，影响居民出行，希望有关部门尽快处理并回复"
COLUMNS = """id, number, type, type_version, state, phase, title, department, assignee, opened_by, priority, channel,
    category, longitude, latitude, address, fields, created_at, changed_at, due_at, closed_at, transfers, returns,
    reopened, version, clocks"""
OWN_WORDS = {"d:", "m:", "o:", "n:"}  # each case has its own


def type_of(number: int) -> CaseType:
    """One of the types: new, working, waiting, done."""
    return CaseType(
        id=f"type_{number:02}",
        name={"zh": f"事项{number}", "en": f"Type {number}"},
        initial="new",
        states={
            "new": State(),
            "working": State(),
            "waiting": State(phase=Phase.SUSPENDED),
            "done": State(phase=Phase.CLOSED),
        },
        moves=(
            Move(name="accept", from_=("new",), to="working", assignee="actor"),
            Move(name="wait", from_=("working",), to="waiting"),
            Move(name="go_on", from_=("waiting",), to="working"),
            Move(name="finish", from_=("working",), to="done"),
            Move(name="reopen", from_=("done",), to="new", assignee="pool"),
        ),
        form={"type": "object", "properties": {"text": {"type": "string"}}},
        searched=("text",),
    )


def department_of(number: int) -> str:
    """Twenty offices, each with nine below it."""
    return f"office_{number // 10:02}_{number % 10}"


def actor(name: str, *departments: str, everywhere: bool = False) -> Actor:
    """Somebody with every permission on cases there."""
    reach = Reach(all=everywhere, departments=frozenset(departments))
    return Actor(name=name, account=name, kind=Kind.STAFF, rights={each: Right(reach=reach) for each in PERMISSIONS})


def clerk(department: int, number: int) -> Actor:
    """One of a department's clerks."""
    return actor(f"clerk_{department:03}_{number:02}", department_of(department))


EVERYTHING = actor("mayor", everywhere=True)


def cases_made(count: int, random: Random) -> Iterator[Case]:
    """Cases as they lie in a city's archive after two years."""
    whats = WHATS.split()
    for number in range(1, count + 1):
        created = NOW - timedelta(days=730 * (1 - number / count), seconds=random.randrange(60))
        is_open = random.random() < (0.5 if number > count * 0.88 else 0.023)
        state = random.choice(("new", "new", "working", "waiting")) if is_open else "done"
        department = min(int(random.paretovariate(0.7)) - 1, 10**6) % DEPARTMENTS if random.random() < 0.3 else -1
        department = random.randrange(DEPARTMENTS) if department < 0 else department
        place, what, street = random.choice(PLACES.split()), random.choice(whats), random.randrange(1, 300)
        yield Case(
            id=number,
            number=f"T{created:%Y%m%d}{number:07}",
            type=f"type_{min(int(random.paretovariate(0.8)) - 1, 10**6) % TYPES:02}",
            type_version=1,
            state=state,
            phase={"waiting": Phase.SUSPENDED, "done": Phase.CLOSED}.get(state, Phase.OPEN),
            title=f"{place}{what}",
            department=department_of(department),
            assignee=None if state == "new" else f"clerk_{department:03}_{random.randrange(CLERKS):02}",
            opened_by="desk",
            channel=random.choice(("phone", "web", "app")),
            category=f"c{random.randrange(300)}",
            longitude=116.2 + random.random() * 0.4,
            latitude=39.8 + random.random() * 0.3,
            address=f"{place}{street}号",
            fields={"text": TEXT.format(place=place, number=street, what=what)},
            created_at=created,
            changed_at=created,
            due_at=created + timedelta(days=random.choice((1, 7, 15))) if is_open else None,
            closed_at=None if is_open else created + timedelta(days=1),
        )


def _line(values: list[object]) -> str:
    return "\t".join("\\N" if each is None else str(each).replace("\\", "\\\\") for each in values) + "\n"


@cache
def _lexemes(title: str, address: str, text: str) -> tuple[str, ...]:
    blank = Case(id=0, number="", type="", type_version=1, state="", phase=Phase.OPEN, title=title, department="",
                 opened_by="", address=address, fields={"text": text}, created_at=NOW, changed_at=NOW)  # fmt: skip
    return tuple(words_of(blank, type_of(0)))


def _words(case: Case) -> str:
    """The words of a case; those of the text are the same for many."""
    fixed = (word for word in _lexemes(case.title, case.address, case.fields["text"]) if word[:2] not in OWN_WORDS)
    own = words_of(msgspec.structs.replace(case, title="", address="", fields={}), type_of(0))
    return " ".join(f"'{word}'" for word in {*fixed, *own})


async def fill(db: Database, count: int) -> None:
    """Load cases as rows, without their indexes, and count them."""
    begun = time.perf_counter()
    types = CaseTypes(db)
    for number in range(TYPES):
        await types.put(msgspec.structs.replace(type_of(number), valid_from=NOW - timedelta(days=800)), by="x", now=NOW)
    indexes = await db.rows(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ('city_case', 'case_words')"
        " AND indexname NOT LIKE '%_pkey' AND indexname NOT LIKE '%_number_key' AND indexname <> 'case_words_pkey'"
    )
    for name, _ in indexes:
        await db.write(f"DROP INDEX {name}")
    counts: Counter[tuple[str, str, str, str, str]] = Counter()
    rows: list[Case] = []
    for case in cases_made(count, Random(1)):
        counts[counted_as(case)] += 1
        rows.append(case)
        if len(rows) == 20_000:
            await _load(db, rows)
            rows = []
    await _load(db, rows)
    await db.write(
        "INSERT INTO case_count (department, type, state, assignee, phase, slot, n) SELECT d, t, s, a, p, 0, n FROM"
        " unnest(%(departments)s::text[], %(types)s::text[], %(states)s::text[], %(assignees)s::text[],"
        " %(phases)s::text[], %(ns)s::int[]) u (d, t, s, a, p, n)",
        count_params(counts),
    )
    await db.write(
        "INSERT INTO case_share SELECT id, 'office_' || lpad((id %% 20)::text, 2, '0') || '_' || (id / 20 %% 10),"
        " 'help', 'x', created_at, NULL, NULL, NULL, phase <> 'closed' FROM city_case WHERE id %% 50 = 0",
        {},
    )
    await db.write("SELECT setval(pg_get_serial_sequence('city_case', 'id'), %(n)s)", {"n": count})
    loaded = time.perf_counter()
    for _, definition in indexes:
        await db.write(definition)
    await db.write("VACUUM ANALYZE")
    size = (await db.read("SELECT pg_database_size(current_database())", as_=int))[0]
    words = (await db.read("SELECT pg_relation_size('case_words_words')", as_=int))[0]
    print(f"fill.rows_s {loaded - begun:.0f}")
    print(f"fill.indexes_s {time.perf_counter() - loaded:.0f}")
    print(f"fill.counters {len(counts)}")
    print(f"fill.gigabytes {size / 2**30:.2f} (of which words' index {words / 2**30:.2f})")


async def _load(db: Database, rows: list[Case]) -> None:
    names = [name.strip() for name in COLUMNS.split(",")]
    table, events, words = [], [], []
    for case in rows:
        values = {**msgspec.structs.asdict(case), "fields": to_json(case.fields).decode(), "clocks": "{}"}
        table.append(_line([values[name] for name in names]))
        events.append(_line([case.id, 1, case.created_at, "open", "desk", "", "{}", "{}"]))
        words.append(_line([case.id, _words(case)]))
    async with db.transaction() as transaction:
        await transaction.copy(f"COPY city_case ({COLUMNS}) FROM STDIN", "".join(table).encode())
        await transaction.copy(
            "COPY case_event (case_id, version, at, verb, by, reason, changes, facts) FROM STDIN",
            "".join(events).encode(),
        )
        await transaction.copy("COPY case_words FROM STDIN", "".join(words).encode())
