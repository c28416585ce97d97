# SPDX-License-Identifier: Apache-2.0
"""OpenID providers: what the operator says of them, what they say of themselves, and asking them."""

import tomllib
from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
from joserfc import jwk
from joserfc.errors import JoseError
from joserfc.jws import extract_compact

from citybrain.kernel.access.actor import Kind
from citybrain.kernel.errors import Invalid, Unavailable
from citybrain.kernel.http import Answer, Call, NoAnswer, ask_once
from citybrain.kernel.outbound import EVERYWHERE
from citybrain.kernel.records import Text

ASK_WITHIN_S = 10.0
KNOWN_FOR = timedelta(hours=1)
# A token with an unknown key makes us ask for new keys, but not more often than this.
NEW_KEYS_EVERY = timedelta(seconds=30)


class ProviderDown(Unavailable):
    """The provider does not answer, or not as OpenID Connect says."""


class Provider(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One provider in the operator's file. `account_claim` names the staff account; citizens need none."""

    name: str
    issuer: str
    client_id: str
    client_secret: str = ""
    kind: Kind = Kind.CITIZEN
    shown_name: Text = {}
    scopes: tuple[str, ...] = ("openid", "profile")
    account_claim: str = "preferred_username"


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says of itself (OpenID Connect Discovery 1.0 section 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    provider: tuple[Provider, ...] = ()


class Providers:
    """The providers of one city, with what they said of themselves lately."""

    def __init__(self, providers: Sequence[Provider]) -> None:
        self._providers = {each.name: each for each in providers}
        self._metadata: dict[str, tuple[datetime, Metadata]] = {}
        self._keys: dict[str, tuple[datetime, jwk.KeySet]] = {}

    def all(self) -> Collection[Provider]:
        """Every provider, in the order of the file."""
        return self._providers.values()

    def find(self, name: str) -> Provider | None:
        """The provider of this name, if the operator has set one up."""
        return self._providers.get(name)

    @staticmethod
    def with_query(endpoint: str, query: Mapping[str, str]) -> str:
        """An address with parameters; an endpoint may have some already (RFC 6749 section 3.1)."""
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    async def metadata(self, provider: Provider, now: datetime) -> Metadata:
        """What the provider says of itself. Refuses one that says it is another (Discovery section 4.3)."""
        known = self._metadata.get(provider.name)
        if known and now - known[0] < KNOWN_FOR:
            return known[1]
        body = await self._get(provider, f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration")
        try:
            metadata = msgspec.json.decode(body, type=Metadata)
        except msgspec.DecodeError as error:
            raise _down(provider, "metadata") from error
        if metadata.issuer != provider.issuer:
            raise _down(provider, "issuer")
        self._metadata[provider.name] = (now, metadata)
        return metadata

    async def keys(self, provider: Provider, token: str, now: datetime) -> jwk.KeySet:
        """The provider's public keys; asked for anew when a token names one that is not known."""
        known = self._keys.get(provider.name)
        if known and now - known[0] < (KNOWN_FOR if _holds(known[1], token) else NEW_KEYS_EVERY):
            return known[1]
        metadata = await self.metadata(provider, now)
        body = await self._get(provider, metadata.jwks_uri)
        try:
            keys = jwk.KeySet.import_key_set(msgspec.json.decode(body))
        except (msgspec.DecodeError, JoseError, KeyError, TypeError, ValueError) as error:
            raise _down(provider, "keys") from error
        self._keys[provider.name] = (now, keys)
        return keys

    async def exchange(
        self, provider: Provider, *, code: str, verifier: str, redirect_uri: str, now: datetime
    ) -> Mapping[str, object]:
        """The tokens for a code (RFC 6749 section 4.1.3, RFC 7636 section 4.5)."""
        metadata = await self.metadata(provider, now)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
            "client_id": provider.client_id,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        if provider.client_secret and "client_secret_basic" in metadata.token_endpoint_auth_methods_supported:
            headers["Authorization"] = f"Basic {_basic(provider.client_id, provider.client_secret)}"
        elif provider.client_secret:
            form["client_secret"] = provider.client_secret
        call = Call(method="POST", url=metadata.token_endpoint, headers=headers, content=urlencode(form).encode())
        answer = await self._ask(provider, call)
        if answer.status >= 500:
            raise _down(provider, f"HTTP {answer.status}")
        try:
            found: Any = msgspec.json.decode(answer.body or b"")
        except msgspec.DecodeError as error:
            raise _down(provider, "token") from error
        return found if answer.taken and isinstance(found, dict) else {}

    async def _get(self, provider: Provider, url: str) -> bytes:
        answer = await self._ask(provider, Call(url=url, headers={"Accept": "application/json"}))
        if not answer.taken:
            raise _down(provider, f"HTTP {answer.status}")
        if answer.body is None:
            raise _down(provider, "size")
        return answer.body

    async def _ask(self, provider: Provider, call: Call) -> Answer:
        """Ask the host that the operator named, wherever it is; others that it names only where the city may go."""
        own = urlsplit(call.url).netloc == urlsplit(provider.issuer).netloc
        try:
            return await ask_once(call, within_s=ASK_WITHIN_S, outbound=EVERYWHERE if own else None)
        except NoAnswer as error:
            raise _down(provider, str(error)) from error


def read_providers(file: Path | None) -> Providers:
    """The operator's file of providers; without one there are none. Refuses a file that is not one."""
    if file is None:
        return Providers(())
    try:
        found = msgspec.convert(tomllib.loads(file.read_text("utf-8")), _File)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise Invalid("kernel.providers_unreadable", {"file": str(file), "why": str(error)}) from error
    return Providers(found.provider)


def _holds(keys: jwk.KeySet, token: str) -> bool:
    """Whether the key that a token names is one of these."""
    try:
        named = extract_compact(token.encode()).headers().get("kid")
    except (JoseError, ValueError):
        return True
    return named in {key.kid for key in keys.keys}


def _basic(name: str, secret: str) -> str:
    """As RFC 7617 says and providers read it; few decode what RFC 6749 section 2.3.1 wants encoded before."""
    return b64encode(f"{name}:{secret}".encode()).decode()


def _down(provider: Provider, why: str) -> ProviderDown:
    return ProviderDown("kernel.provider_down", {"provider": provider.name, "why": why})
