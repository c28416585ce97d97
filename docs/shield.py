# SPDX-License-Identifier: Apache-2.0
"""What the page about signing in says: every way in, what guards it, and the figures as the program has them."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Protocol

from citybrain.kernel.access import Kind, attempts, citizens, factors, foreign, limits, passwords, sessions, witness
from citybrain.serve import gate, services


class Table(Protocol):
    """Makes a table of Markdown."""

    def __call__(self, head: Sequence[str], rows: Iterable[Sequence[str]], /) -> str: ...


def parts(table: Table) -> list[str]:
    """The parts of the page in order."""
    return [
        "What is not said here is not done. Each way in ends in a session, except a service's token, which is shown "
        "with every request.",
        "## Ways to sign in",
        table(("who", "shows", "guarded by"), WAYS),
        "## Limits against guessing",
        table(("what", "how often"), _limits()),
        "A try counts as failed before it is looked at. A name is locked, not an account: whether somebody has the "
        "name is told to nobody. Whoever is locked out waits; nobody can lock a name for longer than that.",
        "## Passwords",
        f"At least {passwords.SHORTEST} characters, {passwords.DIFFERENT} of them different, at most "
        f"{passwords.PASSWORD_LIMIT}; any characters, taken as they are. They do not end by date, and there are no "
        "rules of composition. Refused are those that are guessed early (zxcvbn, under 10^8 guesses): the usual ones, "
        "also with digits around them, rows of keys, dates, repetitions, the account's own name, and these words "
        "with little beside them:",
        " ".join(f"`{word}`" for word in passwords.CONTEXT_WORDS),
        "## Sessions",
        table(("who", "ends when not used for", "ends in any case after"), _sessions()),
        "Somebody may have any number of sessions at once, in as many browsers; each is listed with its address, "
        "browser and times, and can be ended by its owner, or by the security power. A new password, a new or removed "
        "second factor and a closed account end all others. Whoever signs in gets a token that nobody knew before, "
        f"and what changes rights asks for a proof not older than {_time(gate.PROOF_LASTS)}.",
        "Cookies are closed to scripts and other sites; where the city is reached by https they are called "
        f"`{gate.HOST_ONLY}…`, so that no other host can set them.",
        "## What is written down",
        "The audit has every sign-in and its end, every refused one with the account (if there is one of that name) "
        "and the address, every proof, every new password, every token given or ended, and every act that was refused "
        "at the gate or by an engine, with route and permission. Of refusals that are alike one is written each "
        f"{_time(witness.ONE_EACH)}, with the number of the others; beyond {witness.WRITTEN_A_MINUTE} a minute all are "
        "counted together. Passwords, codes, tokens and names that are nobody's are never written.",
    ]


WAYS = (
    (
        "staff",
        "name and password",
        "argon2id; a second factor if enrolled, which the three powers must be",
    ),
    (
        "staff, citizens",
        "a sign-in at an OpenID provider that the operator set up",
        "authorization code with PKCE, state bound to the browser, nonce, signature",
    ),
    (
        "citizens",
        "a code sent by e-mail or to a phone",
        f"{citizens.CODE_DIGITS} digits for {int(citizens.CODE_LASTS.total_seconds() // 60)} minutes, "
        f"{citizens.TRIES} tries; e-mail and providers are stronger than messages to phones",
    ),
    (
        "second factor",
        "a code of an authenticator app, or one of "
        f"{factors.RECOVERY_CODES} recovery codes of {factors.RECOVERY_BYTES * 8} bits",
        "each counts once (RFC 6238)",
    ),
    (
        "services",
        "a bearer token",
        f"256 bits, permissions by name, {services.LONGEST_DAYS} days at most",
    ),
)


def _limits() -> Iterable[tuple[str, str]]:
    yield "wrong passwords for a name", _failures()
    yield "wrong codes of a second factor", _failures()
    named = {
        "sign-ins from an address": limits.SIGN_IN_BY_ADDRESS,
        "codes sent for an address": limits.CODES_BY_ADDRESS,
        "codes sent to a contact": limits.CODES_BY_CONTACT,
        "codes sent to a contact at once": limits.CODES_AT_ONCE,
    }
    for what, limit in named.items():
        yield what, f"{limit.times} in {_time(limit.within)}"
    yield "a sign-in at a provider", f"to be ended within {_time(foreign.SIGN_IN_LASTS)}"


def _failures() -> str:
    return f"{attempts.FAILURES_ALLOWED}, then locked for {_time(attempts.LOCKED_FOR)}"


def _sessions() -> Iterable[tuple[str, str, str]]:
    for kind in (Kind.STAFF, Kind.CITIZEN):
        yield kind.value, _time(sessions.SESSION_LASTS), _time(sessions.SESSION_ENDS[kind])


def _time(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    for name, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds % size == 0 and (name != "day" or seconds > size):
            return f"{seconds // size} {name}{'s' if seconds > size else ''}"
    return f"{seconds} seconds"
