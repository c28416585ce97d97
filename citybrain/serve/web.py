# SPDX-License-Identifier: Apache-2.0
"""The web application: routes of the city and of its apps and doors, the gate before them, the pages behind them."""

import mimetypes
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from litestar import Litestar, Request, Response, Router, get
from litestar.config.compression import CompressionConfig
from litestar.datastructures import State
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

from citybrain import __version__
from citybrain.kernel.access import Access
from citybrain.kernel.app import App, Door
from citybrain.kernel.errors import NotFound, Refusal
from citybrain.serve import (
    alarm_filter_routes,
    alarm_routes,
    audit_routes,
    case_reveal,
    case_routes,
    catalog,
    gate,
    notice_routes,
    order_routes,
    own_data,
    people,
    services,
    signing,
    whatif_routes,
)
from citybrain.serve.desk import Desk
from citybrain.serve.routes import ROUTES
from citybrain.serve.streams import stream, vehicles

# Vite puts a content hash into the names under assets/, so those never change.
FOREVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
# Compressing a stream would hold messages back.
NEVER_COMPRESSED = ["/api/stream", "/api/vehicles"]
# Nor is what a route says is sent as it is: files that are squeezed already, tables that leave piece by piece.
AS_IT_IS = "as_it_is"


class NoSuchPage(NotFound):
    """No page or route at this address."""


def create(desk: Desk, access: Access, pages: Path, *, address: str = "") -> Litestar:
    """The application over a running city; `pages` is the folder of the built web front end.

    `address` is where people reach it: with https cookies go by https alone.
    """
    own = (
        *ROUTES,
        *signing.ROUTES,
        *people.ROUTES,
        *services.ROUTES,
        *audit_routes.ROUTES,
        *own_data.ROUTES,
        *notice_routes.ROUTES,
        *order_routes.ROUTES,
        *whatif_routes.ROUTES,
        *alarm_filter_routes.ROUTES,
        *alarm_routes.ROUTES,
        *case_routes.ROUTES,
        *case_reveal.ROUTES,
        stream,
        vehicles,
    )
    return Litestar(
        route_handlers=[*own, *_contributed(), *_page_routes(pages)],
        guards=[gate.permitted],
        state=State({"desk": desk, "access": access, "store": desk and desk.city.store, "address": address}),
        exception_handlers={
            Refusal: gate.tell_refusal,
            ValidationException: gate.tell_invalid,
            HTTPException: gate.tell_http,
            Exception: gate.tell_bug,
        },
        after_exception=[gate.note_refusal],
        after_request=_headers_of(address),
        compression_config=CompressionConfig(
            backend="gzip", exclude=NEVER_COMPRESSED, exclude_opt_key=AS_IT_IS, minimum_size=1_000
        ),
        openapi_config=_description(),
        request_max_body_size=1_000_000,
        logging_config=None,
    )


def _description() -> OpenAPIConfig:
    """The API as OpenAPI, for everybody who may look; as plain JSON, since pages that draw it load from elsewhere."""
    router = Router(path="/api/docs", route_handlers=[], opt={"permission": "city.view"})
    plain = JsonRenderPlugin(path="/openapi.json")
    return OpenAPIConfig(title="citybrain", version=__version__, render_plugins=[plain], openapi_router=router)


def _contributed() -> Sequence[Any]:
    parts: list[App | Door] = [*catalog.apps(), *catalog.doors()]
    return [route for part in parts for route in part.routes]


def _headers_of(address: str) -> Callable[[Response[Any]], Response[Any]]:
    headers = gate.security_headers(address)

    def with_security_headers(response: Response[Any]) -> Response[Any]:
        # A route that says it more strictly, as of files from outside, has the word.
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        return response

    return with_security_headers


def first_page(root: Path, path: str) -> Path:
    """Citizens' addresses begin with a page of their own, light from the first moment; all others share one."""
    citizens = root / "citizen.html"
    return citizens if f"{path}/".startswith("/citizen/") and citizens.is_file() else root / "index.html"


def _page_routes(pages: Path) -> Sequence[Any]:
    root = pages.resolve()

    # Named too: below /notices lies a route of its own, which hides the address itself from the rest.
    @get(["/", "/notices", "/{path:path}"], opt={"permission": "city.view"}, include_in_schema=False)
    async def page(request: Request[Any, Any, Any]) -> Response[bytes]:
        """A built file, or for every address that a browser's router knows the page it begins with."""
        path = str(request.path_params.get("path", ""))
        wanted = (root / path.lstrip("/")).resolve()
        if path.startswith("/api/") or not wanted.is_relative_to(root):
            raise NoSuchPage("serve.no_such_route", {"status": 404, "detail": path})
        file = wanted if wanted.is_file() else first_page(root, path)
        if not file.is_file():
            raise NoSuchPage("serve.pages_not_built", {"folder": str(root)})
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        age = FOREVER if file.parent.name == "assets" else ASK_AGAIN
        return Response(file.read_bytes(), media_type=kind, headers={"Cache-Control": age})

    return [page]
