# SPDX-License-Identifier: Apache-2.0
# mypy: disable-error-code="no-untyped-call, override, arg-type, assignment, union-attr, attr-defined"
"""An OpenID provider that runs as a process of its own: authlib's server side on the standard library's HTTP server.

`python provider.py PORT`; everybody who comes is who `/behave` said last, and it misbehaves as `/behave` asks.
"""

import json
import os
import sys
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, OAuth2Request
from authlib.oauth2.rfc6749.errors import OAuth2Error
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import AuthorizationCodeMixin, OpenIDCode
from joserfc import jwk, jwt

from citybrain.kernel.clock import utc_now

CLIENT_ID, CLIENT_SECRET = "citybrain", "kept between the two"
KEYS = {
    "ours": jwk.RSAKey.generate_key(2048, {"kid": "ours"}),
    "stranger": jwk.RSAKey.generate_key(2048, {"kid": "ours"}),
}
ALLOWED = "/api/session/openid/back"


class World:
    """What the process knows: codes it gave, who is at the browser, how it misbehaves."""

    codes: dict[str, "Code"]
    nonces: set[str]
    subject = "subject-1"
    name = "li"
    amr: list[str]
    wrong = ""

    def __init__(self) -> None:
        self.codes, self.nonces, self.amr = {}, set(), ["pwd"]


WORLD = World()


class Client(ClientMixin):
    """The one client that this provider knows."""

    def get_client_id(self) -> str:
        return CLIENT_ID

    def get_default_redirect_uri(self) -> str:
        return ""

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return urlsplit(redirect_uri).path == ALLOWED

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == CLIENT_SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return endpoint == "token" and method == "client_secret_basic"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"

    # The extension for ID tokens asks the client how it wants them signed.
    id_token_signed_response_alg = "RS256"


class Code(AuthorizationCodeMixin):
    """A code that was given, with what it was asked for."""

    def __init__(self, code: str, data: dict[str, str]) -> None:
        self.code, self.redirect_uri, self.scope = code, data["redirect_uri"], data["scope"]
        self.nonce, self.code_challenge = data.get("nonce"), data.get("code_challenge")
        self.code_challenge_method = data.get("code_challenge_method")

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str | None:
        return "another nonce" if WORLD.wrong == "nonce" else None if WORLD.wrong == "no nonce" else self.nonce

    def get_auth_time(self) -> int:
        return int(utc_now().timestamp())

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> list[str]:
        return WORLD.amr


class Grant(AuthorizationCodeGrant):
    """Codes are kept in the process, each for one use."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic",)

    def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
        WORLD.codes[code] = Code(code, request.payload.data)
        WORLD.nonces.add(request.payload.data["nonce"])

    def query_authorization_code(self, code: str, _client: Client) -> Code | None:
        return WORLD.codes.get(code)

    def delete_authorization_code(self, authorization_code: Code) -> None:
        del WORLD.codes[authorization_code.code]

    def authenticate_user(self, _code: Code) -> str:
        return WORLD.subject


class IdToken(OpenIDCode):
    """Signs who came, or says what it was told to say wrongly."""

    def exists_nonce(self, nonce: str, _request: OAuth2Request) -> bool:
        return nonce in WORLD.nonces

    def encode_id_token(self, _token: Any, request: OAuth2Request) -> str:
        now = int(utc_now().timestamp())
        claims = {
            "iss": "https://somebody.else" if WORLD.wrong == "issuer" else ISSUER,
            "aud": "another client" if WORLD.wrong == "audience" else CLIENT_ID,
            "iat": now,
            "exp": now - 3600 if WORLD.wrong == "expired" else now + 300,
            "sub": WORLD.subject,
            "preferred_username": WORLD.name,
            **self.get_authorization_code_claims(request.authorization_code),
        }
        if WORLD.wrong == "algorithm":
            secret = jwk.OctKey.import_key("anybody can know this secret, it is long")
            return jwt.encode({"alg": "HS256", "kid": "ours"}, claims, secret, ["HS256"])
        key = KEYS["stranger" if WORLD.wrong == "signature" else "ours"]
        return jwt.encode({"alg": "RS256", "kid": "ours"}, claims, key, ["RS256"])

    def process_token(self, grant: Grant, response: tuple[int, dict[str, Any], Any]) -> dict[str, Any]:
        token = response[1]
        if WORLD.wrong != "no token":
            token["id_token"] = self.encode_id_token(token, grant.request)
        return token


class Payload(BasicOAuth2Payload):
    """Parameters of a request, each in a list as the library wants them."""

    @property
    def datalist(self) -> defaultdict[str, list[str]]:
        return defaultdict(list, {name: [value] for name, value in self.data.items()})


class Request(OAuth2Request):
    """One request as the library reads it."""

    def __init__(self, method: str, uri: str, headers: Any, data: dict[str, str]) -> None:
        super().__init__(method, uri, headers=headers)
        self.payload = Payload(data)
        self._data = data

    @property
    def args(self) -> dict[str, str]:
        return self._data

    @property
    def form(self) -> dict[str, str]:
        return self._data


class Server(AuthorizationServer):
    """authlib's authorization server without a web framework."""

    def query_client(self, client_id: str) -> Client | None:
        return Client() if client_id == CLIENT_ID else None

    def save_token(self, _token: Any, _request: Any) -> None: ...

    def send_signal(self, _name: str, *_args: Any, **_kwargs: Any) -> None: ...

    def create_oauth2_request(self, request: Request) -> Request:
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> tuple[int, Any, Any]:
        return status, body, headers


SERVER = Server()
TOKEN = {"access_token": "a" * 40, "token_type": "Bearer", "scope": "openid"}
SERVER.register_token_generator("default", lambda **_: dict(TOKEN))
SERVER.register_grant(Grant, [CodeChallenge(required=True), IdToken(require_nonce=True)])


class Web(BaseHTTPRequestHandler):
    """The provider's addresses."""

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, dict(parse_qsl(urlsplit(self.path).query))
        if WORLD.wrong == "down" and path != "/behave":
            self.answer(503, {})
        elif path == "/.well-known/openid-configuration":
            self.answer(200, metadata())
        elif path == "/keys":
            self.answer(200, {"keys": [KEYS["ours"].as_dict(private=False)]})
        elif path == "/behave":
            WORLD.wrong, WORLD.subject, WORLD.name = query.get("wrong", ""), query["subject"], query.get("name", "")
            WORLD.amr = query.get("amr", "pwd").split()
            self.answer(200, {})
        elif WORLD.wrong == "denied":
            self.answer(302, {}, [("Location", f"{query['redirect_uri']}?error=access_denied&state={query['state']}")])
        else:
            request = Request("GET", ISSUER + self.path, self.headers, query)
            try:
                grant = SERVER.get_consent_grant(request, WORLD.subject)
            except OAuth2Error as error:
                self.answer(400, {"error": error.error})
                return
            self.answer(*SERVER.create_authorization_response(request, WORLD.subject, grant))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        request = Request("POST", ISSUER + self.path, self.headers, dict(parse_qsl(body)))
        self.answer(*SERVER.create_token_response(request))

    def answer(self, status: int, body: Any, headers: Any = ()) -> None:
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_args: Any) -> None: ...


def metadata() -> dict[str, Any]:
    """What the provider says of itself."""
    return {
        "issuer": "https://somebody.else" if WORLD.wrong == "metadata" else ISSUER,
        "authorization_endpoint": f"{ISSUER}/authorize",
        "token_endpoint": f"{ISSUER}/token",
        "jwks_uri": f"{ISSUER}/keys",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
    }


if __name__ == "__main__":
    ISSUER = f"http://127.0.0.1:{sys.argv[1]}"
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # noqa: TID251 the library's own switch, in a process of its own
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Web).serve_forever()
