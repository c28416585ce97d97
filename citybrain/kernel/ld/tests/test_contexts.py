# SPDX-License-Identifier: Apache-2.0
"""Contexts kept, fetched and resolved; and the bad days of those who host them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from citybrain.kernel.db import Database
from citybrain.kernel.errors import Unavailable
from citybrain.kernel.http import Answer, Call, Http, NoAnswer
from citybrain.kernel.ld.context import CORE, CORE_URL
from citybrain.kernel.ld.contexts import Contexts, CoreContextStays, NoSuchContext, OnlyCachedReload
from citybrain.kernel.ld.documents import LdContextNotAvailable, Web, is_core, read_seeds
from citybrain.kernel.ld.keeping import Kind
from citybrain.kernel.ld.terms import InvalidContext

BUS = "https://buses.example/context.jsonld"
BUS_DOCUMENT = {"@context": {"speed": "https://buses.example/speed"}}
ADDRESS = "http://city:8000"


class Internet(Http):
    """The world outside, as far as a test tells it; notes who was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: dict[str, tuple[int, bytes]] = {}
        self.asked: list[str] = []
        self.silent: set[str] = set()
        self.gate: asyncio.Event | None = None

    def host(self, url: str, document: object) -> None:
        self.pages[url] = (200, msgspec.json.encode(document))

    async def send(self, call: Call) -> Answer:
        self.asked.append(call.url)
        if call.url in self.silent:
            await asyncio.Event().wait()
        if self.gate:
            await self.gate.wait()
        if call.url not in self.pages:
            raise NoAnswer("no route to host")
        status, body = self.pages[call.url]
        return Answer(status, {}, body if len(body) <= call.largest else None)


@pytest.fixture
def internet() -> Internet:
    return Internet()


@pytest.fixture(autouse=True)
async def nothing_kept(db: Database) -> None:
    await db.write("DELETE FROM context")


@pytest.fixture
async def contexts(db: Database, internet: Internet) -> AsyncIterator[Contexts]:
    opened = await open_contexts(db, internet)
    yield opened
    await opened.close()


async def open_contexts(db: Database, internet: Internet) -> Contexts:
    return await Contexts.open(db, Web(internet, within_s=0.3), address=ADDRESS)


async def test_no_context_and_any_version_of_the_core_context_are_ours(contexts: Contexts, internet: Internet) -> None:
    assert await contexts.resolve(None) is CORE
    assert await contexts.resolve(CORE_URL) is CORE
    assert await contexts.resolve(["https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.3.jsonld"]) is CORE
    assert await contexts.resolve([]) is CORE
    assert internet.asked == []


def test_only_true_core_contexts_are_taken_for_ours() -> None:
    core = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context"
    assert is_core(f"{core}.jsonld")
    assert is_core(f"{core}-v1.8.jsonld")
    assert is_core(f"http{core[5:]}-v1.3.1.jsonld")
    assert not is_core(f"{core}-non-existing.jsonld")
    assert not is_core("https://evil.example/ngsi-ld/v1/ngsi-ld-core-context.jsonld")


async def test_a_remote_context_is_fetched_once_for_all_who_wait(contexts: Contexts, internet: Internet) -> None:
    internet.host(BUS, BUS_DOCUMENT)
    internet.gate = asyncio.Event()
    waiting = [asyncio.create_task(contexts.resolve(BUS)) for _ in range(20)]
    await asyncio.sleep(0.02)
    internet.gate.set()
    resolved = await asyncio.gather(*waiting)
    assert {context.expand("speed") for context in resolved} == {"https://buses.example/speed"}
    assert internet.asked == [BUS]


async def test_a_remote_context_needs_no_network_after_a_restart(db: Database, internet: Internet) -> None:
    internet.host(BUS, BUS_DOCUMENT)
    first = await open_contexts(db, internet)
    await first.resolve(BUS)
    await first.resolve(BUS)
    await first.close()
    dark = Internet()
    second = await open_contexts(db, dark)
    assert (await second.resolve(BUS)).expand("speed") == "https://buses.example/speed"
    assert dark.asked == []
    assert second.get(BUS).hits == 3
    await second.close()


async def test_seeds_are_known_without_asking_their_hosts(db: Database, internet: Internet, tmp_path: Path) -> None:
    (tmp_path / "bus.jsonld").write_bytes(msgspec.json.encode(BUS_DOCUMENT))
    url = "https://seeded.example/context"
    (tmp_path / "index.json").write_bytes(msgspec.json.encode({url: "bus.jsonld"}))
    seeded = await Contexts.open(db, Web(internet), seeds=read_seeds(tmp_path))
    assert (await seeded.resolve(url)).expand("speed") == "https://buses.example/speed"
    assert internet.asked == []
    await seeded.delete(url)
    await seeded.resolve(url)
    await seeded.reload(url)
    assert internet.asked == []
    await seeded.close()


def test_a_folder_of_seeds_without_a_readable_index_is_refused_at_once(tmp_path: Path) -> None:
    assert read_seeds(None) == {}
    with pytest.raises(Unavailable) as refused:
        read_seeds(tmp_path)
    assert refused.value.code == "kernel.contexts_unreadable"
    (tmp_path / "index.json").write_text('{"https://a.example/": "missing.jsonld"}')
    with pytest.raises(Unavailable):
        read_seeds(tmp_path)


async def test_contexts_refer_to_each_other_also_by_relative_urls(contexts: Contexts, internet: Internet) -> None:
    internet.host("https://a.example/all.jsonld", {"@context": ["terms/first.jsonld", {"b": "urn:b"}, CORE_URL]})
    internet.host("https://a.example/terms/first.jsonld", {"@context": {"a": "urn:a", "b": "urn:overridden"}})
    context = await contexts.resolve("https://a.example/all.jsonld")
    assert (context.expand("a"), context.expand("b")) == ("urn:a", "urn:b")
    assert [kept.url for kept in contexts.all(kind=Kind.CACHED)] == internet.asked


async def test_an_imported_context_comes_before_what_imports_it(contexts: Contexts, internet: Internet) -> None:
    internet.host(BUS, BUS_DOCUMENT)
    context = await contexts.resolve({"@import": BUS, "speed": "urn:mine"})
    assert context.expand("speed") == "urn:mine"
    assert internet.asked == [BUS]


async def test_the_core_context_beside_one_url_changes_nothing(contexts: Contexts, internet: Internet) -> None:
    internet.host(BUS, BUS_DOCUMENT)
    context = await contexts.resolve([BUS, CORE_URL])
    assert context.url == BUS
    assert context.json == BUS
    assert contexts.all(kind=Kind.IMPLICIT) == []


async def test_a_context_that_came_inside_gets_a_url_when_somebody_asks(db: Database, contexts: Contexts) -> None:
    context = await contexts.resolve([{"speed": "urn:speed"}, CORE_URL])
    assert contexts.all() == []
    url = context.url
    assert url.startswith(f"{ADDRESS}/ngsi-ld/v1/jsonldContexts/")
    [kept] = contexts.all(kind=Kind.IMPLICIT)
    assert contexts.url_of(kept) == url
    assert msgspec.json.decode(kept.body) == {"@context": {"speed": "urn:speed"}}
    assert (await contexts.resolve(url)).expand("speed") == "urn:speed"
    await contexts.close()
    again = await open_contexts(db, Internet())
    assert (await again.resolve(url)).expand("speed") == "urn:speed"
    assert (await again.resolve({"speed": "urn:speed"})).url == url
    await again.close()


async def test_a_hosted_context_is_used_under_whatever_address_we_are_reached(contexts: Contexts) -> None:
    name = await contexts.add({"@context": {"speed": "urn:speed"}})
    context = await contexts.resolve(f"http://localhost:9090/ngsi-ld/v1/jsonldContexts/{name}")
    assert context.expand("speed") == "urn:speed"
    assert contexts.get(name).hits == 1


async def test_looking_at_a_context_is_a_use_that_the_next_look_tells(contexts: Contexts) -> None:
    name = await contexts.add({"@context": {"speed": "urn:speed"}})
    first, second = contexts.get(name), contexts.get(name)
    assert (first.hits, first.used_at) == (0, None)
    assert second.hits == 1
    assert second.used_at is not None


async def test_a_tenants_contexts_are_nobody_elses(contexts: Contexts, internet: Internet) -> None:
    name = await contexts.add({"@context": {"secret": "urn:secret"}}, "a")
    internet.host(BUS, BUS_DOCUMENT)
    await contexts.resolve(BUS, "a")
    assert contexts.all("b") == []
    with pytest.raises(NoSuchContext):
        contexts.get(name, "b")
    with pytest.raises(NoSuchContext):
        await contexts.delete(name, "b")
    with pytest.raises(LdContextNotAvailable):
        await contexts.resolve(f"{ADDRESS}/ngsi-ld/v1/jsonldContexts/{name}", "b")
    assert len(contexts.all("a")) == 2
    assert (await contexts.resolve(f"{ADDRESS}/ngsi-ld/v1/jsonldContexts/{name}", "a")).expand("secret") == "urn:secret"


async def test_a_tenant_uses_the_copy_of_another_when_the_host_is_gone(contexts: Contexts, internet: Internet) -> None:
    internet.host(BUS, BUS_DOCUMENT)
    await contexts.resolve(BUS, "a")
    internet.pages.clear()
    assert (await contexts.resolve(BUS, "b")).expand("speed") == "https://buses.example/speed"
    assert [kept.url for kept in contexts.all("b")] == [BUS]


async def test_many_contexts_inside_requests_do_not_fill_the_memory(contexts: Contexts) -> None:
    first = await contexts.resolve({"a": "urn:first"})
    for number in range(2_100):
        await contexts.resolve({"a": f"urn:{number}"})
    again = await contexts.resolve({"a": "urn:first"})
    assert again is not first
    assert again.expand("a") == "urn:first"
    assert contexts.all() == []


async def test_a_deleted_context_is_gone_and_a_cached_one_is_fetched_again(
    contexts: Contexts, internet: Internet
) -> None:
    internet.host(BUS, BUS_DOCUMENT)
    await contexts.resolve(BUS)
    await contexts.delete(BUS)
    with pytest.raises(NoSuchContext):
        contexts.get(BUS)
    internet.host(BUS, {"@context": {"speed": "urn:new"}})
    assert (await contexts.resolve(BUS)).expand("speed") == "urn:new"
    with pytest.raises(NoSuchContext):
        await contexts.delete("never-there")


async def test_a_reload_takes_what_the_host_has_now(contexts: Contexts, internet: Internet) -> None:
    internet.host(BUS, BUS_DOCUMENT)
    await contexts.resolve(BUS)
    internet.host(BUS, {"@context": {"speed": "urn:new"}})
    await contexts.reload(BUS)
    assert (await contexts.resolve(BUS)).expand("speed") == "urn:new"


async def test_a_failed_reload_leaves_what_there_was(contexts: Contexts, internet: Internet) -> None:
    internet.host(BUS, BUS_DOCUMENT)
    await contexts.resolve(BUS)
    for page in ((404, b""), (200, b"<html>moved</html>")):
        internet.pages[BUS] = page
        with pytest.raises(LdContextNotAvailable):
            await contexts.reload(BUS)
    assert (await contexts.resolve(BUS)).expand("speed") == "https://buses.example/speed"


async def test_only_cached_contexts_reload_and_the_core_context_stays(contexts: Contexts) -> None:
    name = await contexts.add({"@context": {"speed": "urn:speed"}})
    for each in (name, "never-there"):
        with pytest.raises(OnlyCachedReload):
            await contexts.reload(each)
    with pytest.raises(CoreContextStays):
        await contexts.delete(CORE_URL)
    await contexts.reload(CORE_URL)
    assert b"hasValue" in contexts.get(CORE_URL).body


# fmt: off
NOT_CONTEXTS = [
    (42,                             "a number"),
    (True,                           "a boolean"),
    (["https://a.example/", 7],      "a number in a list"),
    ([[]],                           "a list in a list"),
    ({"a": 7},                       "a definition that is a number"),
    ("context.jsonld",               "a relative URL with nothing to begin at"),
    ("file:///etc/passwd",           "a URL that is not of the web"),
    ("",                             "an empty text"),
]
# fmt: on


@pytest.mark.parametrize(("given", "why"), NOT_CONTEXTS)
async def test_what_is_no_context_is_refused(contexts: Contexts, given: object, why: str) -> None:
    with pytest.raises(InvalidContext):
        await contexts.resolve(given)


async def test_only_contexts_are_hosted(contexts: Contexts) -> None:
    for document in ({"@context": 42}, {"@context": ["https://a.example/", 7]}, {"@context": {"a": 7}}, {"a": "urn:a"}):
        with pytest.raises(InvalidContext):
            await contexts.add(document)
    assert contexts.all() == []


# fmt: off
BAD_DAYS = [
    ((404, b""),                            LdContextNotAvailable, "not there"),
    ((500, b""),                            LdContextNotAvailable, "the host is broken"),
    ((302, b""),                            LdContextNotAvailable, "it is elsewhere, nobody knows where"),
    ((200, b"x" * (10 * 2**20)),            LdContextNotAvailable, "ten megabytes"),
    ((200, b"<html>sign in</html>"),        InvalidContext,        "HTML instead of JSON"),
    ((200, b"[" * 100_000),                 InvalidContext,        "endlessly nested"),
    ((200, b'{"note": "none"}'),            InvalidContext,        "no @context in it"),
    ((200, b'{"@context": 7}'),             InvalidContext,        "not a context in it"),
    ((200, b'{"@context": {"a": "\xff"}}'), InvalidContext,        "not even text"),
]
# fmt: on


@pytest.mark.parametrize(("page", "refusal", "why"), BAD_DAYS)
async def test_a_host_on_a_bad_day_is_one_refusal(
    contexts: Contexts, internet: Internet, page: tuple[int, bytes], refusal: type[Exception], why: str
) -> None:
    internet.pages[BUS] = page
    with pytest.raises(refusal):
        await contexts.resolve(BUS)
    assert contexts.all() == [], why


async def test_a_url_that_cannot_be_is_refused_wherever_it_stands(contexts: Contexts, internet: Internet) -> None:
    internet.host(BUS, {"@context": ["http://["]})
    with pytest.raises(InvalidContext):
        await contexts.resolve(BUS)
    with pytest.raises(LdContextNotAvailable):
        await contexts.resolve("http://[")


async def test_a_huge_context_is_refused_whether_hosted_or_inside_a_request(contexts: Contexts) -> None:
    huge = {f"t{number}": "https://example.org/" + "x" * 1000 for number in range(10_000)}
    for refused in (contexts.resolve(huge), contexts.add({"@context": huge})):
        with pytest.raises(InvalidContext) as refusal:
            await refused
        assert refusal.value.facts["why"] == "too_large"


async def test_contexts_in_a_circle_are_refused(contexts: Contexts, internet: Internet) -> None:
    internet.host("https://a.example/", {"@context": ["https://b.example/"]})
    internet.host("https://b.example/", {"@context": ["https://a.example/"]})
    with pytest.raises(InvalidContext) as refused:
        await contexts.resolve("https://a.example/")
    assert refused.value.facts["why"] == "circle"


async def test_a_chain_of_contexts_without_end_is_refused(contexts: Contexts, internet: Internet) -> None:
    for number in range(40):
        internet.host(f"https://a.example/{number}", {"@context": f"https://a.example/{number + 1}"})
    with pytest.raises(InvalidContext) as refused:
        await contexts.resolve("https://a.example/0")
    assert refused.value.facts["why"] == "too_many"


async def test_a_host_that_never_answers_holds_up_nobody_else(contexts: Contexts, internet: Internet) -> None:
    silent = [f"https://silent.example/{number}" for number in range(200)]
    internet.silent.update(silent)
    internet.host(BUS, BUS_DOCUMENT)
    stuck = [asyncio.create_task(contexts.resolve(url)) for url in silent]
    await asyncio.sleep(0.01)
    assert (await contexts.resolve(BUS)).expand("speed") == "https://buses.example/speed"
    assert not any(task.done() for task in stuck)
    refused = await asyncio.gather(*stuck, return_exceptions=True)
    assert {type(each) for each in refused} == {LdContextNotAvailable}


async def test_a_failure_counts_for_a_while(contexts: Contexts, internet: Internet) -> None:
    for _ in range(3):
        with pytest.raises(LdContextNotAvailable):
            await contexts.resolve(BUS)
    assert internet.asked == [BUS]


async def test_one_waiter_that_goes_away_does_not_end_the_fetch_of_the_others(
    contexts: Contexts, internet: Internet
) -> None:
    internet.host(BUS, BUS_DOCUMENT)
    internet.gate = asyncio.Event()
    impatient = asyncio.create_task(contexts.resolve(BUS))
    patient = asyncio.create_task(contexts.resolve(BUS))
    await asyncio.sleep(0.01)
    impatient.cancel()
    internet.gate.set()
    assert (await patient).expand("speed") == "https://buses.example/speed"
