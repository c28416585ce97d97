# SPDX-License-Identifier: Apache-2.0
"""How good the work was, over HTTP: ratings that clerks write down, bad ones looked into, samples reviewed."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from citybrain.kernel.cases.tests.city import TICKET
from citybrain.kernel.clock import utc_now
from citybrain.kernel.store import Store
from citybrain.serve.tests.conftest import Clerk, Signs

RATED = msgspec.structs.replace(TICKET, id="rated", rating=True)
BAD = {"satisfaction": "dissatisfied", "channel": "sms", "remark": "没修好"}


@pytest.fixture(autouse=True, scope="module")
async def rated(staffed: Store) -> None:
    await staffed.cases.types.put(RATED, by="city", now=utc_now())


async def closed(clerk: Clerk) -> Any:
    """A case that this clerk has closed."""
    case = await clerk.open(type="rated")
    await clerk.act(case, "move", move="accept")
    return await clerk.act(case, "move", move="finish", answer="好", fields={"cause": "x"})


async def test_a_bad_rating_is_written_down_by_somebody_else_and_looked_into(at_desk: Signs) -> None:
    li, wang, zhao, chen = [await at_desk(name) for name in ("li", "wang", "zhao", "chen")]
    case = await closed(li)
    path = f"/api/cases/{case['id']}/rating"
    assert await li.refused("POST", path, BAD, status=409) == "kernel.case_rated_by_its_own"
    assert await chen.refused("POST", path, BAD, status=404) == "kernel.no_such_case"
    by_default = {**BAD, "channel": "by_default"}
    assert await wang.refused("POST", path, by_default, status=409) == "kernel.case_rated_by_default"
    assert (await wang.ask("POST", path, BAD, status=201))["round"] == 1
    assert (await li.ask("GET", f"/api/cases/{case['id']}"))["ratings"][0]["remark"] == "没修好"
    (waiting,) = await zhao.ask("GET", "/api/follow-ups")
    assert (waiting["case_id"], waiting["number"], waiting["taken_by"]) == (case["id"], case["number"], None)
    assert await chen.ask("GET", "/api/follow-ups") == []
    key = f"/api/follow-ups/{case['id']}/1"
    assert await chen.refused("POST", f"{key}/take", status=404) == "kernel.no_such_follow_up"
    await zhao.ask("POST", f"{key}/take", status=204)
    result = {"result": "resolved", "note": "又去了一次"}
    assert await zhao.refused("POST", f"{key}/result", {**result, "note": " "}, status=400)
    await zhao.ask("POST", f"{key}/result", result, status=204)
    assert await zhao.ask("GET", "/api/follow-ups") == []
    assert (await zhao.ask("GET", "/api/follow-ups?done=true"))[0]["note"] == "又去了一次"


async def test_a_sample_is_tried_drawn_and_reviewed_by_whom_it_names(at_desk: Signs) -> None:
    li, wang, zhao, op = [await at_desk(name) for name in ("li", "wang", "zhao", "op")]
    case = await closed(li)
    now = utc_now()
    plan = {
        "seed": "2026-11",
        "since": (now - timedelta(days=1)).isoformat(),
        "until": (now + timedelta(days=1)).isoformat(),
        "share": 1,
        "reviewers": ["li", "wang"],
    }
    preview = await zhao.ask("POST", "/api/samples/preview", plan, status=200)
    assert (preview["population"], len(preview["drawn"])) == (2, 2)
    assert await zhao.ask("GET", "/api/samples") == []
    sample = await zhao.ask("POST", "/api/samples", plan, status=201)
    to_do = await wang.ask("GET", "/api/reviews")
    assert case["number"] in {each["number"] for each in to_do}
    assert await li.ask("GET", "/api/reviews") == [], "nobody reviews what they had a hand in"
    opinion = {"verdict": "good", "scores": {"speed": 90}, "note": "快"}
    path = f"/api/reviews/{sample['id']}/{case['id']}"
    assert await li.refused("POST", path, opinion, status=404) == "kernel.no_such_review"
    assert await wang.refused("POST", path, {**opinion, "scores": {"speed": 101}}, status=400)
    await wang.ask("POST", path, opinion, status=204)
    detail = await zhao.ask("GET", f"/api/samples/{sample['id']}")
    found = {each["number"]: each["verdict"] for each in detail["reviews"]}
    assert found[case["number"]] == "good"
    assert [each["id"] for each in await op.ask("GET", "/api/samples")] == [sample["id"]]
    assert await li.refused("GET", "/api/samples", status=403) == "serve.not_permitted"
    unzoned = {**plan, "since": "2026-01-01T00:00:00"}
    assert await zhao.refused("POST", "/api/samples", unzoned, status=400) == "serve.times_without_zone"


async def test_a_sample_is_seen_by_whoever_drew_it(at_desk: Signs) -> None:
    op, zhao = await at_desk("op"), await at_desk("zhao")
    now = utc_now()
    plan = {"seed": "x", "since": (now - timedelta(days=1)).isoformat(), "until": now.isoformat()}
    sample = await op.ask("POST", "/api/samples", plan, status=201)
    path = f"/api/samples/{sample['id']}"
    assert await zhao.refused("GET", path, status=404) == "kernel.no_such_sample"


async def test_a_reviewer_reads_the_case_to_review_does_nothing_with_it_and_sees_no_other(at_desk: Signs) -> None:
    li, chen, op = await at_desk("li"), await at_desk("chen"), await at_desk("op")
    case, other = await closed(li), await li.open(title="与评查无关")
    now = utc_now()
    plan = {
        "seed": "x",
        "since": (now - timedelta(days=1)).isoformat(),
        "until": (now + timedelta(days=1)).isoformat(),
        "share": 1,
        "reviewers": ["chen"],
    }
    path = f"/api/cases/{case['id']}"
    assert await chen.refused("GET", path, status=404) == "kernel.no_such_case"
    sample = await op.ask("POST", "/api/samples", plan, status=201)
    to_do = {each["case_id"]: each for each in await chen.ask("GET", "/api/reviews")}
    assert to_do[case["id"]]["title"] == case["title"]
    detail = await chen.ask("GET", path)
    assert (detail["case"]["number"], detail["verbs"], detail["moves"]) == (case["number"], [], [])
    for verb, facts in (
        ("comment", {"kind": "internal", "text": "x"}),
        ("edit", {"title": "x"}),
        ("move", {"move": "reopen", "reason": "x"}),
        ("link", {"to": case["id"], "kind": "follows"}),
    ):
        assert (await chen.act(case, verb, status=404, **facts))["code"] == "kernel.no_such_case", verb
    assert await chen.refused("POST", f"{path}/rating", BAD, status=404) == "kernel.no_such_case"
    assert await chen.refused("GET", f"/api/cases/{other['id']}", status=404) == "kernel.no_such_case"
    listed = await chen.ask("GET", "/api/cases?phase=open&phase=closed&order=newest")
    assert case["number"] not in {each["number"] for each in listed["cases"]}
    opinion = {"verdict": "good", "scores": {}, "note": ""}
    await chen.ask("POST", f"/api/reviews/{sample['id']}/{case['id']}", opinion, status=204)
    assert await chen.refused("GET", path, status=404) == "kernel.no_such_case", "what is reviewed is seen no more"
