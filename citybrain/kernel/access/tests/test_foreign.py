# SPDX-License-Identifier: Apache-2.0
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.access import Access, Kind
from citybrain.kernel.access.foreign import ForeignRefused, NoAccountHere, NoSuchProvider, Returned, SignedIn, own_path
from citybrain.kernel.access.providers import Provider, ProviderDown, Providers, read_providers
from citybrain.kernel.access.sessions import Origin
from citybrain.kernel.access.tests.scene import staff
from citybrain.kernel.clock import utc_now
from citybrain.kernel.db import Database
from citybrain.kernel.errors import Invalid

BACK = "http://127.0.0.1:8000/api/session/openid/back"
HERE = Origin(address="10.0.0.1")


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """The provider, running."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, str(Path(__file__).with_name("provider.py")), str(port)])
    url = f"http://127.0.0.1:{port}"
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield url
    process.kill()
    process.wait()


@pytest.fixture
async def access(db: Database, issuer: str) -> AsyncIterator[Access]:
    await db.write("TRUNCATE account, foreign_identity, foreign_sign_in CASCADE")
    made = Access(db)
    secret = {"issuer": issuer, "client_id": "citybrain", "client_secret": "kept between the two"}
    made.foreign.providers = Providers(
        [
            Provider(name="people", kind=Kind.CITIZEN, **secret),  # type: ignore[arg-type]
            Provider(name="office", kind=Kind.STAFF, **secret),  # type: ignore[arg-type]
        ]
    )
    yield made


async def behave(issuer: str, subject: str = "subject-1", **how: str) -> None:
    """Say who sits at the browser, and what the provider gets wrong."""
    async with httpx.AsyncClient() as client:
        (await client.get(f"{issuer}/behave", params={"subject": subject, **how})).raise_for_status()


async def browse(access: Access, name: str = "people", back_to: str = "/") -> Returned:
    """What a browser brings back from the provider."""
    begun = await access.foreign.begin(name, redirect_uri=BACK, back_to=back_to, now=utc_now())
    async with httpx.AsyncClient() as client:
        answer = await client.get(begun.url)
    assert answer.status_code == 302, answer.text
    where = urlsplit(answer.headers["location"])
    assert f"{where.scheme}://{where.netloc}{where.path}" == BACK
    query = dict(parse_qsl(where.query))
    return Returned(state=query["state"], cookie=begun.state, code=query.get("code", ""), error=query.get("error", ""))


async def finish(access: Access, back: Returned) -> SignedIn:
    return await access.foreign.finish(back, redirect_uri=BACK, now=utc_now(), origin=HERE)


async def test_a_citizen_signs_in_elsewhere_and_is_the_same_one_next_time(access: Access, issuer: str) -> None:
    await behave(issuer, "c-1")
    accounts = []
    for _ in range(2):
        signed_in = await finish(access, await browse(access, back_to="/report?step=2"))
        assert signed_in.back_to == "/report?step=2"
        visit = await access.sessions.find(signed_in.token, utc_now())
        assert visit is not None
        assert (visit.kind, visit.second_factor) == (Kind.CITIZEN, False)
        accounts.append(visit.account)
    assert accounts[0] == accounts[1]
    await behave(issuer, "c-2")
    other = await access.sessions.find((await finish(access, await browse(access))).token, utc_now())
    assert other is not None
    assert other.account != accounts[0]


async def test_staff_sign_in_elsewhere_to_the_account_they_have_here(access: Access, issuer: str) -> None:
    await staff(access, "li", "operator")
    await behave(issuer, "s-1", name="li", amr="pwd otp")
    visit = await access.sessions.find((await finish(access, await browse(access, "office"))).token, utc_now())
    assert visit is not None
    assert (visit.account, visit.roles, visit.second_factor) == ("li", ("operator",), True)
    await behave(issuer, "s-1", name="renamed there")
    visit = await access.sessions.find((await finish(access, await browse(access, "office"))).token, utc_now())
    assert visit is not None
    assert visit.account == "li", "a person is known by the subject, not by a name that changes"
    await behave(issuer, "s-2", name="li")
    with pytest.raises(NoAccountHere):
        await finish(access, await browse(access, "office"))


async def test_no_staff_account_is_made_by_signing_in(access: Access, issuer: str, db: Database) -> None:
    await behave(issuer, "s-9", name="nobody")
    with pytest.raises(NoAccountHere):
        await finish(access, await browse(access, "office"))
    assert await db.read("SELECT count(*) FROM account", as_=int) == [0]


# fmt: off
WRONG = [
    ("nonce",     "nonce"),
    ("no nonce",  "nonce"),
    ("audience",  "aud"),
    ("issuer",    "iss"),
    ("signature", "signature"),
    ("algorithm", "signature"),
    ("no token",  "token"),
    ("denied",    "denied"),
]
# fmt: on


@pytest.mark.parametrize(("wrong", "why"), WRONG)
async def test_what_a_provider_gets_wrong_opens_no_session(
    access: Access, issuer: str, db: Database, wrong: str, why: str
) -> None:
    await behave(issuer, wrong=wrong)
    with pytest.raises(ForeignRefused) as refusal:
        await finish(access, await browse(access))
    assert refusal.value.facts == {"why": why}
    assert await db.read("SELECT count(*) FROM session", as_=int) == [0]


async def test_a_token_whose_time_is_over_opens_no_session(access: Access, issuer: str) -> None:
    await behave(issuer, wrong="expired")
    with pytest.raises(ForeignRefused):
        await finish(access, await browse(access))


async def test_what_comes_back_to_another_browser_opens_no_session(access: Access, issuer: str) -> None:
    await behave(issuer)
    back = await browse(access)
    for cookie in ("", "another", (await browse(access)).state):
        with pytest.raises(ForeignRefused):
            await finish(access, Returned(state=back.state, cookie=cookie, code=back.code))
    await finish(access, back)


async def test_what_came_back_counts_once_and_not_for_long(access: Access, issuer: str) -> None:
    await behave(issuer)
    back = await browse(access)
    await finish(access, back)
    with pytest.raises(ForeignRefused):
        await finish(access, back)
    late = await browse(access)
    with pytest.raises(ForeignRefused):
        await access.foreign.finish(late, redirect_uri=BACK, now=utc_now() + timedelta(minutes=10), origin=HERE)


async def test_a_code_of_one_sign_in_does_not_fit_another(access: Access, issuer: str) -> None:
    await behave(issuer)
    mine, stolen = await browse(access), await browse(access)
    with pytest.raises(ForeignRefused):
        await finish(access, Returned(state=mine.state, cookie=mine.cookie, code=stolen.code))


async def test_an_answer_of_another_provider_is_refused(access: Access, issuer: str) -> None:
    await behave(issuer)
    back = await browse(access)
    mixed = Returned(state=back.state, cookie=back.cookie, code=back.code, issuer="https://somebody.else")
    with pytest.raises(ForeignRefused) as refusal:
        await finish(access, mixed)
    assert refusal.value.facts == {"why": "issuer"}


@pytest.mark.parametrize("wrong", ["down", "metadata"])
async def test_a_provider_that_is_down_or_another_is_told(access: Access, issuer: str, wrong: str) -> None:
    await behave(issuer, wrong=wrong)
    with pytest.raises(ProviderDown):
        await browse(access)
    await behave(issuer)
    await finish(access, await browse(access))


async def test_a_provider_that_nobody_reaches_is_told(access: Access) -> None:
    away = Provider(name="away", issuer="http://127.0.0.1:1", client_id="citybrain")
    access.foreign.providers = Providers([away])
    with pytest.raises(ProviderDown):
        await access.foreign.begin("away", redirect_uri=BACK, back_to="/", now=utc_now())
    with pytest.raises(NoSuchProvider):
        await access.foreign.begin("unheard", redirect_uri=BACK, back_to="/", now=utc_now())


async def test_a_closed_account_is_not_opened_from_elsewhere(access: Access, issuer: str, db: Database) -> None:
    await behave(issuer, "c-7")
    signed_in = await finish(access, await browse(access))
    await db.write("UPDATE account SET disabled_at = now()")
    assert await access.sessions.find(signed_in.token, utc_now()) is None
    again = await finish(access, await browse(access))
    assert await access.sessions.find(again.token, utc_now()) is None


# fmt: off
PATHS = [
    ("/report?step=2", "/report?step=2"), ("/", "/"), ("", "/"), ("//evil.example", "/"), ("https://evil.example", "/"),
    ("/\\evil.example", "/"), ("javascript:alert(1)", "/"), ("/a\r\nSet-Cookie: x", "/"),
]
# fmt: on


@pytest.mark.parametrize(("asked", "path"), PATHS)
def test_after_signing_in_one_stays_in_our_pages(asked: str, path: str) -> None:
    assert own_path(asked) == path


@given(st.text())
def test_no_path_leads_to_another_host(text: str) -> None:
    found = urlsplit(own_path(text))
    assert (found.scheme, found.netloc) == ("", "")


def test_providers_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "oidc.toml"
    file.write_text('[[provider]]\nname = "city"\nissuer = "https://id.city"\nclient_id = "brain"\nkind = "staff"\n')
    (found,) = read_providers(file).all()
    assert (found.name, found.kind, found.scopes) == ("city", Kind.STAFF, ("openid", "profile"))
    assert not read_providers(None).all()


@pytest.mark.parametrize("text", ["[[provider]]\nname = 1", "not toml =", "[[provider]]\nunheard = 1\n"])
def test_a_file_of_providers_that_is_none_is_refused_at_start(tmp_path: Path, text: str) -> None:
    file = tmp_path / "oidc.toml"
    file.write_text(text)
    with pytest.raises(Invalid):
        read_providers(file)
    with pytest.raises(Invalid):
        read_providers(tmp_path / "missing.toml")
