# SPDX-License-Identifier: Apache-2.0
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.access import totp

SEEDS = {
    "sha1": b"12345678901234567890",
    "sha256": b"12345678901234567890123456789012",
    "sha512": b"1234567890123456789012345678901234567890123456789012345678901234",
}
# RFC 6238 appendix B.
# fmt: off
VECTORS = [
    (59,          "94287082", "46119246", "90693936"),
    (1111111109,  "07081804", "68084774", "25091201"),
    (1111111111,  "14050471", "67062674", "99943326"),
    (1234567890,  "89005924", "91819424", "93441116"),
    (2000000000,  "69279037", "90698825", "38618901"),
    (20000000000, "65353130", "77737706", "47863826"),
]
# fmt: on
SECRET = b"12345678901234567890"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
STEP = timedelta(seconds=totp.STEP_S)


@pytest.mark.parametrize(("seconds", "sha1", "sha256", "sha512"), VECTORS)
def test_the_codes_are_those_of_the_rfc(seconds: int, sha1: str, sha256: str, sha512: str) -> None:
    step = seconds // totp.STEP_S
    assert totp.code_of(SEEDS["sha1"], step, digits=8) == sha1
    assert totp.code_of(SEEDS["sha256"], step, digits=8, algorithm="sha256") == sha256
    assert totp.code_of(SEEDS["sha512"], step, digits=8, algorithm="sha512") == sha512


@given(st.binary(min_size=16, max_size=40), st.integers(0, 2**33))
def test_an_app_that_others_wrote_shows_the_same_codes(secret: bytes, seconds: int) -> None:
    app = pyotp.TOTP(totp.base32(secret))
    assert app.generate_otp(seconds // 30) == totp.code_of(secret, seconds // 30)


def test_an_app_reads_our_address() -> None:
    app = pyotp.parse_uri(totp.address(SECRET, issuer="citybrain", account="li@water 1"))
    assert isinstance(app, pyotp.TOTP)
    assert app.at(NOON) == totp.code_of(SECRET, totp.step_of(NOON))
    assert (app.issuer, app.name) == ("citybrain", "li@water 1")
    assert parse_qs(urlsplit(app.provisioning_uri()).query)["secret"] == [totp.base32(SECRET)]


# fmt: off
CLOCKS = [
    (0 * STEP,  True,  "the same clock"),
    (-1 * STEP, True,  "a phone that is a step behind"),
    (1 * STEP,  True,  "or a step ahead"),
    (-2 * STEP, False, "two steps are too many"),
    (2 * STEP,  False, "either way"),
]
# fmt: on


@pytest.mark.parametrize(("skew", "taken", "why"), CLOCKS, ids=[row[2] for row in CLOCKS])
def test_clocks_may_differ_by_one_step(skew: timedelta, taken: bool, why: str) -> None:
    code = totp.code_of(SECRET, totp.step_of(NOON + skew))
    assert (totp.matching_step(SECRET, code, NOON, after=0) is not None) is taken, why


def test_the_code_of_a_step_that_was_used_is_not_taken_again() -> None:
    step = totp.step_of(NOON)
    code = totp.code_of(SECRET, step)
    assert totp.matching_step(SECRET, code, NOON, after=step - 1) == step
    assert totp.matching_step(SECRET, code, NOON, after=step) is None
    late = totp.code_of(SECRET, step - 1)
    assert totp.matching_step(SECRET, late, NOON, after=step) is None, "nor one from before it"


@given(st.text(max_size=12))
def test_what_is_no_code_matches_nothing(text: str) -> None:
    around = {totp.code_of(SECRET, totp.step_of(NOON) + skew) for skew in (-1, 0, 1)}
    if text not in around:
        assert totp.matching_step(SECRET, text, NOON, after=0) is None
