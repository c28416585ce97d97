# SPDX-License-Identifier: Apache-2.0
"""Deny by default: whatever can be asked of the city names the permission that it needs, and somebody has it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from litestar import get
from litestar.handlers.base import BaseRouteHandler
from litestar.routes import BaseRoute, HTTPRoute, WebSocketRoute

from citybrain.kernel.access import KERNEL_PERMISSIONS, PUBLIC
from citybrain.kernel.app import App, Door, Means
from citybrain.kernel.cases.rights import PERMISSIONS as CASE_PERMISSIONS
from citybrain.serve import catalog
from docs.generate import application
from tests.architecture.tree import ROOT, refuse

# Whatever is added here can be done by everybody on the network, without a name.
PUBLIC_MAY = {
    # Warnings for the public are meant for everybody; others need a permission of their own.
    "cap.view",
    "case.notice_stop",
    "city.view",
    "hotline.public",
    "hotline.report",
    "ngsild.read",
    "ogcfeatures.read",
    # Open311 is made for apps of everybody. Reports are counted by address, and nothing personal is shown.
    "open311.report",
    "open311.view",
    "pool.view",
    "sensorthings.read",
    "session.open",
}

Grants = Mapping[str, Sequence[str]]


def grants() -> dict[str, Sequence[str]]:
    """Who has which permission: the kernel's table and those of apps and doors."""
    parts: list[App | Door] = [*catalog.apps(), *catalog.doors()]
    given = {name: roles for part in parts for name, roles in part.permissions.items()}
    return {**KERNEL_PERMISSIONS, **CASE_PERMISSIONS, **given}


def handlers(routes: Iterable[BaseRoute]) -> Iterator[tuple[str, BaseRouteHandler]]:
    """Our handlers by path; what the web framework brings itself names no permission and is closed by the gate."""
    for route in routes:
        found: Sequence[Any] = ()
        if isinstance(route, HTTPRoute):
            found = route.route_handlers
        elif isinstance(route, WebSocketRoute):
            found = [route.route_handler]
        yield from ((route.path, each) for each in found if not each.fn.__module__.startswith("litestar."))


def open_doors(found: Iterable[tuple[str, BaseRouteHandler]], granted: Grants) -> list[str]:
    """Routes that name no permission, or one that nobody has."""
    named = [(path, handler.opt.get("permission")) for path, handler in found]
    return sorted({f"{path} needs {permission}" for path, permission in named if not granted.get(str(permission))})


def open_means(apps: Iterable[App], granted: Grants) -> list[str]:
    """Means whose permission nobody has."""
    found = [means for app in apps for means in app.means]
    return [f"{means.name} needs {means.permission}" for means in found if not granted.get(means.permission)]


def test_every_route_names_a_permission_that_somebody_has() -> None:
    refuse(open_doors(handlers(application().routes), grants()))


def test_every_means_names_a_permission_that_somebody_has() -> None:
    refuse(open_means(catalog.apps(), grants()))


def test_everybody_may_only_look_and_sign_in() -> None:
    assert {name for name, roles in grants().items() if PUBLIC in roles} == PUBLIC_MAY


def test_a_route_without_a_permission_is_refused() -> None:
    @get("/open")
    async def wide_open() -> None: ...

    assert open_doors([("/open", wide_open)], grants()) == ["/open needs None"]


def test_a_means_that_nobody_may_use_is_refused() -> None:
    class Nothing(msgspec.Struct):
        pass

    means = Means(name="left.go", permission="left.nobody", parameters=Nothing, undone_by="")
    app = App(name="left", folder=ROOT, means=(means,))
    assert open_means([app], grants()) == ["left.go needs left.nobody"]
