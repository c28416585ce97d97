# SPDX-License-Identifier: Apache-2.0
"""Sign-in at an OpenID provider: authorization code flow with PKCE, state and nonce (OpenID Connect Core 1.0)."""

import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError

from citybrain.kernel import sql
from citybrain.kernel.access.actor import Kind
from citybrain.kernel.access.citizens import Citizens
from citybrain.kernel.access.providers import Provider, Providers
from citybrain.kernel.access.sessions import Origin, Sessions, hashed
from citybrain.kernel.access.witness import Witness
from citybrain.kernel.crypto import KeyRing, Place
from citybrain.kernel.db import Database
from citybrain.kernel.errors import Forbidden, NotFound
from citybrain.kernel.records import Text

SIGN_IN_LASTS = timedelta(minutes=10)
LEEWAY_S = 60  # clocks of two machines
# Signatures with a public key alone: with `none` or a shared secret anybody, or the client, could sign.
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
# RFC 8176: what a provider says when more than a password was shown.
MORE_THAN_A_PASSWORD = frozenset({"mfa", "otp", "hwk", "sc", "fpt"})


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    sign_in_begin: str
    sign_in_take: str
    sign_ins_prune: str
    identity_find: str
    identity_add: str
    staff_find: str


SQL = sql.load(Path(__file__).with_name("queries_foreign.sql"), Sql)


class NoSuchProvider(NotFound):
    """The operator has set up no provider of this name."""


class ForeignRefused(Forbidden):
    """What came back from the provider proves nothing; `why` is a word for which check failed."""


class NoAccountHere(Forbidden):
    """The provider knows the person, but no staff account here is theirs."""


class ProviderView(msgspec.Struct, frozen=True, kw_only=True):
    """A provider as the sign-in page offers it."""

    name: str
    shown_name: Text
    kind: Kind


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """Where to send the browser, and what it must bring back in a cookie."""

    url: str
    state: str


class Returned(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser brings back: the state in its address and in its cookie, a code, or an error."""

    state: str
    cookie: str
    code: str = ""
    error: str = ""
    issuer: str = ""


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """A session's token, and where in our pages to go on."""

    token: str
    back_to: str


class _UnderWay(msgspec.Struct, frozen=True, kw_only=True):
    provider: str
    nonce: str
    verifier: bytes
    back_to: str


class Foreign:
    """Sign-in by providers that the operator has set up."""

    def __init__(
        self, db: Database, *, keys: KeyRing, sessions: Sessions, citizens: Citizens, witness: Witness
    ) -> None:
        self._db = db
        self._keys = keys
        self._sessions = sessions
        self._citizens = citizens
        self._witness = witness
        self.providers = Providers(())

    def offered(self) -> list[ProviderView]:
        """The providers for the sign-in page."""
        return [
            ProviderView(name=each.name, shown_name=each.shown_name, kind=each.kind) for each in self.providers.all()
        ]

    async def begin(self, name: str, *, redirect_uri: str, back_to: str, now: datetime) -> Begun:
        """Begin a sign-in. Refuses `NoSuchProvider`, and `ProviderDown` when it cannot be asked how it works."""
        provider = self._provider(name)
        metadata = await self.providers.metadata(provider, now)
        state, nonce, verifier = (secrets.token_urlsafe(48) for _ in range(3))
        params = {
            "state_hash": hashed(state),
            "provider": name,
            "nonce": nonce,
            "verifier": self._keys.encrypt(verifier, _place(state)),
            "back_to": own_path(back_to),
            "expires_at": now + SIGN_IN_LASTS,
        }
        await self._db.write(SQL.sign_in_begin, params)
        query = {
            "response_type": "code",
            "client_id": provider.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(provider.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": create_s256_code_challenge(verifier),  # type: ignore[no-untyped-call]
            "code_challenge_method": "S256",
        }
        return Begun(url=self.providers.with_query(metadata.authorization_endpoint, query), state=state)

    async def finish(self, back: Returned, *, redirect_uri: str, now: datetime, origin: Origin) -> SignedIn:
        """End a sign-in with a new session. Each one can be ended once, by the browser that began it."""
        async with self._witness.sign_in("", origin=origin, now=now):
            return await self._finish(back, redirect_uri=redirect_uri, now=now, origin=origin)

    async def _finish(self, back: Returned, *, redirect_uri: str, now: datetime, origin: Origin) -> SignedIn:
        if not back.state or not hmac.compare_digest(back.state.encode(), back.cookie.encode()):
            raise _refused("state")
        rows = await self._db.read(SQL.sign_in_take, {"state_hash": hashed(back.state), "now": now}, as_=_UnderWay)
        if not rows:
            raise _refused("state")
        under_way = rows[0]
        provider = self._provider(under_way.provider)
        # RFC 9207: a provider that says who it is must be the one that was asked.
        if back.issuer and back.issuer != provider.issuer:
            raise _refused("issuer")
        if back.error or not back.code:
            raise _refused("denied")
        verifier = self._keys.decrypt(under_way.verifier, _place(back.state))
        tokens = await self.providers.exchange(
            provider, code=back.code, verifier=verifier, redirect_uri=redirect_uri, now=now
        )
        claims = await self._claims(provider, tokens, under_way.nonce, now)
        account = await self._account(provider, claims, now)
        methods = claims.get("amr")
        more = isinstance(methods, list) and not MORE_THAN_A_PASSWORD.isdisjoint(methods)
        token = await self._sessions.open(
            account, method=f"openid {provider.name}", now=now, second_factor=more, origin=origin
        )
        return SignedIn(token=token, back_to=under_way.back_to)

    async def prune(self, now: datetime) -> None:
        """Forget sign-ins that were never ended."""
        await self._db.write(SQL.sign_ins_prune, {"now": now})

    def _provider(self, name: str) -> Provider:
        found = self.providers.find(name)
        if found is None:
            raise NoSuchProvider("kernel.no_such_provider", {"name": name})
        return found

    async def _claims(
        self, provider: Provider, tokens: Mapping[str, object], nonce: str, now: datetime
    ) -> Mapping[str, object]:
        """The claims of the ID token after every check of OpenID Connect Core 3.1.3.7."""
        raw = tokens.get("id_token")
        if not isinstance(raw, str):
            raise _refused("token")
        keys = await self.providers.keys(provider, raw, now)
        try:
            token = jwt.decode(raw, keys, algorithms=ALGORITHMS)
        except (JoseError, ValueError) as error:
            raise _refused("signature") from error
        options: Any = {
            "iss": {"essential": True, "value": provider.issuer},
            "aud": {"essential": True, "value": provider.client_id},
            "nonce": {"essential": True, "value": nonce},
        }
        params = {"nonce": nonce, "client_id": provider.client_id}
        claims = CodeIDToken(token.claims, token.header, options, params)
        try:
            claims.validate(now=int(now.timestamp()), leeway=LEEWAY_S)  # type: ignore[no-untyped-call]
        except JoseError as error:
            raise _refused(str(getattr(error, "claim", None) or error.error)) from error
        if not isinstance(claims.get("sub"), str):
            raise _refused("sub")
        return dict(claims)

    async def _account(self, provider: Provider, claims: Mapping[str, object], now: datetime) -> str:
        """Whose the sign-in is. Staff must have an account here already; a citizen gets one the first time."""
        params = {"issuer": provider.issuer, "subject": claims["sub"], "kind": provider.kind.value}
        known = await self._db.read_one(SQL.identity_find, params, as_=str)
        if known is not None:
            return known
        if provider.kind is Kind.CITIZEN:
            account: str | None = await self._citizens.new_account(now)
        else:
            name = claims.get(provider.account_claim)
            account = await self._db.read_one(SQL.staff_find, {"name": name}, as_=str) if name else None
        if account is None:
            raise NoAccountHere("kernel.no_account_here", {"provider": provider.name})
        added: Sequence[str] = await self._db.read(
            SQL.identity_add, {**params, "account": account, "now": now}, as_=str
        )
        return added[0]


def own_path(path: str) -> str:
    """A path of our own pages, or the first page when it leads elsewhere."""
    own = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if own else "/"


def _place(state: str) -> Place:
    return Place(table="foreign_sign_in", column="verifier", row=hashed(state).hex())


def _refused(why: str) -> ForeignRefused:
    return ForeignRefused("kernel.foreign_sign_in_refused", {"why": why})
