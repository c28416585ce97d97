# SPDX-License-Identifier: Apache-2.0
import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pyotp
import pytest

from citybrain.kernel.access import FAILURES_ALLOWED, Access, Actor, SignInLocked, SignInRefused
from citybrain.kernel.access.factors import AlreadyEnrolled, NotEnrolled, SecondFactorNeeded, SecondFactorWrong
from citybrain.kernel.access.grants import GrantToOneself
from citybrain.kernel.access.limits import SIGN_IN_BY_ADDRESS, TooOften
from citybrain.kernel.access.sessions import NoSuchSession, Origin
from citybrain.kernel.access.tests.scene import DECLARED, NOON, PASSWORD, acting, staff
from citybrain.kernel.crypto import KeyRing
from citybrain.kernel.db import Database

STEP = timedelta(seconds=30)


@pytest.fixture
async def access(db: Database) -> AsyncIterator[Access]:
    await db.write("TRUNCATE account, sign_in_attempt CASCADE")
    made = Access(db, DECLARED, clock=lambda: NOON)
    await made.load(NOON)
    yield made


@pytest.fixture
async def li(access: Access) -> Actor:
    return await staff(access, "li")


async def enrol(access: Access, actor: Actor) -> tuple[pyotp.TOTP, list[str]]:
    """An app that others wrote is set up with our address."""
    begun = await access.factors.begin(actor.account, now=NOON)
    app = pyotp.parse_uri(begun.address)
    assert isinstance(app, pyotp.TOTP)
    assert app.secret == begun.secret
    return app, await access.factors.confirm(actor.account, app.at(NOON - STEP), now=NOON, actor=actor)


async def sign_in(access: Access, code: str | None, late: timedelta = timedelta(0)) -> str:
    return (await access.sign_in("li", PASSWORD, now=NOON + late, code=code))[1]


async def test_with_a_second_factor_the_password_alone_opens_nothing(access: Access, li: Actor) -> None:
    await sign_in(access, None)
    app, _ = await enrol(access, li)
    with pytest.raises(SecondFactorNeeded):
        await sign_in(access, None)
    with pytest.raises(SecondFactorWrong):
        await sign_in(access, "000000" if app.at(NOON) != "000000" else "111111")
    with pytest.raises(SignInRefused):
        await access.sign_in("li", "wrong", now=NOON, code=app.at(NOON))
    visit = await access.sessions.find(await sign_in(access, app.at(NOON)), NOON)
    assert visit is not None
    assert visit.second_factor


async def test_a_code_that_was_used_is_refused_and_the_next_is_taken(access: Access, li: Actor) -> None:
    app, _ = await enrol(access, li)
    await sign_in(access, app.at(NOON))
    for replayed in (app.at(NOON), app.at(NOON - STEP)):
        with pytest.raises(SecondFactorWrong):
            await sign_in(access, replayed)
    await sign_in(access, app.at(NOON + STEP), late=STEP)


async def test_of_two_requests_with_one_code_one_is_signed_in(access: Access, li: Actor) -> None:
    app, _ = await enrol(access, li)
    results = await asyncio.gather(*(sign_in(access, app.at(NOON)) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(result, str) for result in results) == 1


# fmt: off
SKEWS = [(-1, True), (0, True), (1, True), (-2, False), (2, False)]
# fmt: on


@pytest.mark.parametrize(("steps", "taken"), SKEWS)
async def test_a_phone_may_be_one_step_off(access: Access, li: Actor, steps: int, taken: bool) -> None:
    app, _ = await enrol(access, li)
    now = 10 * STEP
    code = app.at(NOON + now + steps * STEP)
    if taken:
        await sign_in(access, code, late=now)
    else:
        with pytest.raises(SecondFactorWrong):
            await sign_in(access, code, late=now)


async def test_each_recovery_code_counts_once(access: Access, li: Actor) -> None:
    _, codes = await enrol(access, li)
    assert len(set(codes)) == 10
    assert all(5 * len(code.replace("-", "")) >= 112 for code in codes), "base32: five bits in each"
    await sign_in(access, codes[0])
    with pytest.raises(SecondFactorWrong):
        await sign_in(access, codes[0])
    await sign_in(access, codes[1].lower().replace("-", " "))
    assert await access.factors.recovery_codes_left("li") == 8


async def test_guessing_codes_locks_even_with_the_right_password(access: Access, li: Actor) -> None:
    app, _ = await enrol(access, li)
    wrong = next(code for code in ("000000", "111111", "222222", "333333") if code != app.at(NOON))
    refusals: list[type] = []
    for _ in range(FAILURES_ALLOWED + 1):
        with pytest.raises((SecondFactorWrong, SignInLocked)) as refusal:
            await sign_in(access, wrong)
        refusals.append(refusal.type)
    assert refusals[-1] is SignInLocked
    with pytest.raises(SignInLocked):
        await sign_in(access, app.at(NOON))


async def test_enrolling_ends_other_sessions_and_is_done_once(access: Access, li: Actor) -> None:
    other = await sign_in(access, None)
    app, _ = await enrol(access, li)
    assert await access.session(other, NOON) is None
    with pytest.raises(AlreadyEnrolled):
        await access.factors.begin("li", now=NOON)
    with pytest.raises(NotEnrolled):
        await access.factors.confirm("li", app.at(NOON), now=NOON, actor=li)


async def test_a_factor_that_was_never_confirmed_asks_for_nothing(access: Access, li: Actor) -> None:
    await access.factors.begin("li", now=NOON)
    with pytest.raises(SecondFactorWrong):
        await access.factors.confirm("li", "abc", now=NOON, actor=li)
    await sign_in(access, None)


async def test_a_lost_factor_is_reset_by_the_security_power_and_by_nobody_for_themselves(
    access: Access, li: Actor
) -> None:
    await enrol(access, li)
    security = await staff(access, "security-1", "security")
    with pytest.raises(GrantToOneself):
        await access.factors.reset(security, "security-1")
    await access.factors.reset(security, "li")
    await sign_in(access, None)


async def test_one_gives_a_factor_up_with_a_last_code(access: Access, li: Actor) -> None:
    app, _ = await enrol(access, li)
    with pytest.raises(SecondFactorWrong):
        await access.factors.remove(li, "li", now=NOON, code="no")
    await access.factors.remove(li, "li", now=NOON, code=app.at(NOON))
    await sign_in(access, None)
    with pytest.raises(NotEnrolled):
        await access.factors.remove(li, "li", now=NOON, code="123456")


async def test_the_secret_is_encrypted_and_opens_only_with_its_key(access: Access, li: Actor, db: Database) -> None:
    app, _ = await enrol(access, li)
    (kept,) = await db.read("SELECT encode(secret, 'hex') FROM second_factor", as_=str)
    assert app.byte_secret().hex() not in kept
    stolen = Access(db, DECLARED, keys=KeyRing.new(now=NOON))
    with pytest.raises(Exception, match=r"key_lost|not_as_encrypted"):
        await stolen.sign_in("li", PASSWORD, now=NOON, code=app.at(NOON))


async def test_proving_again_rotates_the_session(access: Access, li: Actor) -> None:
    async def acting_in(token: str, late: timedelta) -> Actor:
        return access.actor_of(await access.sessions.find(token, NOON + late), NOON + late)

    hour = timedelta(hours=1)
    token = await sign_in(access, None)
    with pytest.raises(SignInRefused):
        await access.prove(await acting_in(token, hour), password="wrong", now=NOON + hour)
    fresh = await access.prove(await acting_in(token, hour), password=PASSWORD, now=NOON + hour)
    assert await access.session(token, NOON + hour) is None, "the old token ends"
    assert (await acting_in(fresh, hour)).proved_at == NOON + hour
    app, _ = await enrol(access, await acting_in(fresh, hour))
    with pytest.raises(SecondFactorNeeded):
        await access.prove(await acting_in(fresh, hour), password=PASSWORD, now=NOON + hour)
    proved = await access.prove(await acting_in(fresh, hour), code=app.at(NOON + hour), now=NOON + hour)
    assert (await acting_in(proved, hour)).second_factor
    with pytest.raises(NoSuchSession):
        await access.prove(acting(access, "li"), password=PASSWORD, now=NOON)


async def test_sessions_are_listed_and_ended_by_their_owner_alone(access: Access, li: Actor) -> None:
    await staff(access, "wu")
    origin = Origin(address="10.1.2.3", agent="Firefox")
    _, token = await access.sign_in("li", PASSWORD, now=NOON, origin=origin)
    (mine,) = await access.sessions.of("li", NOON)
    assert (mine.address, mine.agent, mine.method) == ("10.1.2.3", "Firefox", "password")
    with pytest.raises(NoSuchSession):
        await access.sessions.end("wu", mine.id)
    await access.sessions.end("li", mine.id)
    assert await access.session(token, NOON) is None


async def test_a_new_password_of_ones_own_ends_all_other_sessions(access: Access, li: Actor) -> None:
    other, token = await sign_in(access, None), await sign_in(access, None)
    mine = access.actor_of(await access.sessions.find(token, NOON), NOON)
    with pytest.raises(SignInRefused):
        await access.change_password(mine, "wrong", "a longer one still", now=NOON)
    await access.change_password(mine, PASSWORD, "a longer one still", now=NOON)
    assert await access.session(other, NOON) is None
    assert await access.session(token, NOON) is not None
    await access.sign_in("li", "a longer one still", now=NOON)


async def test_one_address_cannot_try_names_without_end(access: Access, li: Actor) -> None:
    origin = Origin(address="10.9.9.9")
    for number in range(SIGN_IN_BY_ADDRESS.times):
        with pytest.raises(SignInRefused):
            await access.sign_in(f"name {number}", "guess", now=NOON, origin=origin)
    with pytest.raises(TooOften):
        await access.sign_in("li", PASSWORD, now=NOON, origin=origin)
    await access.sign_in("li", PASSWORD, now=NOON, origin=Origin(address="10.1.1.1"))
    await access.sign_in("li", PASSWORD, now=NOON + SIGN_IN_BY_ADDRESS.within, origin=origin)


async def test_a_services_old_token_is_taken_for_the_overlap(access: Access, db: Database) -> None:
    hour, given = timedelta(hours=1), {"by": "operator", "now": NOON, "expires_at": NOON + timedelta(days=1)}
    old = await access.add_service("pumps", may=("case.view",), **given)  # type: ignore[arg-type]
    new = await access.add_service("pumps", may=("case.view",), overlap=hour, **given)  # type: ignore[arg-type]
    again = Access(db, DECLARED)
    for known in (access, again):
        assert await known.service(old, NOON + hour - STEP) is not None
        assert await known.service(old, NOON + hour) is None
        assert await known.service(new, NOON + hour) is not None
    await access.remove_service("pumps")
    assert await access.service(old, NOON) is None
