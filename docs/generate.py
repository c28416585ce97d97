# SPDX-License-Identifier: Apache-2.0
"""Writes the pages that would rot by hand: `make docs`. With `--check` it only says which differ."""

import ast
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec
from litestar import Litestar
from litestar.routes import BaseRoute, HTTPRoute, WebSocketRoute

from citybrain.kernel.access import KERNEL_PERMISSIONS
from citybrain.kernel.app import App, Door
from citybrain.kernel.cases.rights import PERMISSIONS as CASE_PERMISSIONS
from citybrain.kernel.settings import Settings
from citybrain.serve import catalog
from citybrain.serve.web import create
from docs import means, shield
from docs.ledgers import STATES, counts, read_ledger, rows

DOCS = Path(__file__).resolve().parent
CODE = DOCS.parent / "citybrain"
NOTE = "<!-- Written by docs/generate.py: change the program, then run `make docs`. -->"

# What each setting is for: the environment is the operator's, so it is told in the operator's words.
SETTINGS = {
    "data": "Folder of the city's data: the embedded database, saved runs. `make run` takes `.citybrain`.",
    "database_url": "PostgreSQL ≥ 15 to use instead of the embedded one.",
    "host": "Address the web server listens at. The default is this machine only.",
    "port": "Port of the web server.",
    "lang": "Language of the command line, `zh` or `en`.",
    "scenario": "Simulated city to run: a name from `citybrain scenarios`, a SUMO configuration, or `none`.",
    "speed": "City seconds per second, or `max`.",
    "keep_days": "Days of history that are kept.",
    "history_page": "Instances of one attribute in one answer of the temporal API; the rest comes with the next.",
    "address": "Scheme, host and port under which others reach this city, for URLs that leave it; else host and port.",
    "keys": "File with the keys of personal data and seals; else `keys.json` in the data folder. Back it up apart.",
    "cipher": "Algorithms that new values are encrypted with: `aes` (AES-256-GCM, SHA-256) or `sm` (SM4-GCM, SM3).",
    "public_may": "Permissions, separated by commas, that everybody on the network has without a name.",
    "mqtt": "Mapping file (TOML) of the MQTT door; without it the door stays shut.",
    "incidents": "What goes wrong in the simulated city: how many incidents per hour, or JSON, or a file of it"
    " ([how-to](../howto/make-an-incident.md)).",
    "outside": "Signals of the simulated city whose lamps emulated controllers show (JSON, from `citybrain emulate`).",
    "ntcip": "Mapping file (TOML) of signal controllers that speak NTCIP 1202; without it the door stays shut.",
    "gbt20999": "Mapping file (TOML) of signal controllers that speak GB/T 20999-2017; without it the door stays shut.",
    "cap": "Whose signatures on warnings are checked, and the city's own key for them"
    " (TOML, [how-to](../howto/exchange-alerts-over-cap.md#signatures)).",
    "smtp": "Mail server: `smtp://user:password@host:587?from=city@example.org`, or `smtps://…`; without it no mail.",
    "sms": "Webhook of the message gateway: it gets `{to, subject, text}` as JSON; without it no messages to phones.",
    "push": "Webhook for pushes; notices go there, and to `sms`, signed with `webhook_secret`, or not at all.",
    "webhook_secret": "What notices to webhooks are signed with: `X-Citybrain-Signature`, HMAC-SHA-256.",
    "pages": "A folder of built screens in place of those that come with the package, for who works on them.",
    "outbound": (
        "Where subscriptions, context sources and contexts may lead, separated by commas: `public`, `loopback`, "
        "`private`, `any`, networks like `10.1.0.0/16`. Unset: `public`, and `loopback` where it listens."
    ),
    "virus_scan": "Who looks for viruses in uploads: `clamd:<socket or host:port>` or `command:…`; else nobody.",
    "oidc": "File of OpenID providers (TOML) by which people may sign in.",
    "contexts": "Folder of JSON-LD contexts known without asking their hosts: `index.json` maps URL to file.",
}
ANSWERS = {
    "NotFound": "404",
    "Invalid": "400",
    "Conflict": "409",
    "Forbidden": "403",
    "Unavailable": "503",
    "Refusal": "401",
}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; a bar inside a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def page(title: str, *parts: str) -> str:
    """A generated page."""
    return "\n\n".join([f"# {title}", NOTE, *parts]) + "\n"


def city() -> str:
    """Everything that apps and doors declare."""
    parts: list[App | Door] = [*catalog.apps(), *catalog.doors()]
    permissions = {name: roles for part in [*parts] for name, roles in part.permissions.items()}
    return page(
        "What the city consists of",
        "## Apps and doors",
        table(("name", "is", "executes"), [(f"`{part.name}`", _what(part), _executes(part)) for part in parts]),
        "## Entity types and what is observed of them",
        table(("type", "attribute", "unit", "kept"), _types(parts)),
        "## Kinds of events",
        table(("kind", "中文", "English"), [_said(kind, f"kind.{kind}") for part in parts for kind in part.kinds]),
        "## Means",
        table(("means", "permission", "used on", "persons", "lasts", "undone by"), _means()),
        "## Indicators",
        table(("indicator", "unit", "better", "English", "source"), _indicators()),
        "## Permissions",
        table(("permission", "roles"), _permissions({**KERNEL_PERMISSIONS, **CASE_PERMISSIONS, **permissions})),
    )


def _what(part: App | Door) -> str:
    return "app" if isinstance(part, App) else "door"


def _executes(part: App | Door) -> str:
    return ", ".join(f"`{name}`" for name in part.executes)


def _types(parts: Sequence[App | Door]) -> Iterator[tuple[str, ...]]:
    for each in sorted((each for part in parts for each in part.entity_types), key=lambda each: each.name):
        for attribute in each.attributes:
            every = f" {attribute.every.total_seconds():g} s" if attribute.every else ""
            yield f"`{each.name}`", f"`{attribute.name}`", attribute.unit, f"{attribute.keep.value}{every}"


def _said(name: str, key: str) -> tuple[str, ...]:
    words = catalog.words()
    return f"`{name}`", words.of("zh").get(key, ""), words.of("en").get(key, "")


def _means() -> Iterator[tuple[str, ...]]:
    for each in (each for app in catalog.apps() for each in app.means):
        used_on = ", ".join(f"`{name}`" for name in each.entity_types)
        undone_by = f"`{each.undone_by}`" if each.undone_by else ""
        persons, lasts = "2" if each.two_person else "1", "yes" if each.lasts else ""
        yield f"`{each.name}`", f"`{each.permission}`", used_on, persons, lasts, undone_by


def _indicators() -> Iterator[tuple[str, ...]]:
    for each in (each for app in catalog.apps() for each in app.indicators):
        better = "lower" if each.lower_is_better else "higher"
        yield f"`{each.name}`", each.unit, better, _said(each.name, f"indicator.{each.name}")[2], each.source


def _permissions(permissions: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, ...]]:
    for name, roles in sorted(permissions.items()):
        yield f"`{name}`", ", ".join(roles)


def settings() -> str:
    """The environment."""
    rows = [
        (f"`CITYBRAIN_{field.name.upper()}`", _default(field.default), SETTINGS[field.name])
        for field in msgspec.structs.fields(Settings)
    ]
    return page(
        "Settings",
        "Read from the environment at the start, and nowhere else.",
        table(("name", "default", "what it does"), rows),
    )


def _default(default: Any) -> str:
    return "" if default in (None, msgspec.NODEFAULT) else f"`{default}`"


def refusals() -> str:
    """Every refusal: what the API answers and what a person reads."""
    rows = sorted({(code, answer, *_said(code, code)[1:]) for code, answer in _refusals()})
    return page(
        "Refusals",
        "The server sends `{code, facts}`; the sentence is made where it is read.",
        table(("code", "status", "中文", "English"), [(f"`{code}`", *rest) for code, *rest in rows]),
    )


def _refusals() -> Iterator[tuple[str, str]]:
    modules = [
        ast.parse(path.read_text(encoding="utf-8")) for path in sorted(CODE.rglob("*.py")) if "tests" not in path.parts
    ]
    nodes = [node for module in modules for node in ast.walk(module)]
    kinds = _kinds_of_refusal([node for node in nodes if isinstance(node, ast.ClassDef)])
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds and node.args:
            code = node.args[0]
            if isinstance(code, ast.Constant):
                yield str(code.value), ANSWERS[kinds[node.func.id]]


def _kinds_of_refusal(classes: Sequence[ast.ClassDef]) -> dict[str, str]:
    """The kind of refusal that each class is, through any number of parents."""
    kinds = {name: name for name in ANSWERS}
    for _ in range(3):
        for each in classes:
            for base in each.bases:
                if isinstance(base, ast.Name) and base.id in kinds and each.name not in kinds:
                    kinds[each.name] = kinds[base.id]
    return kinds


def routes() -> str:
    """Every route with its permission."""
    return page(
        "Routes",
        "Writing requests need the header `X-Citybrain: 1` and a session.",
        "The OpenAPI description is at `/api/docs/openapi.json`.",
        table(("method", "path", "permission", "what it does"), sorted(set(_routes(application().routes)))),
    )


def application() -> Litestar:
    """The web application without a city behind it: enough to see what it offers."""
    return create(cast("Any", None), cast("Any", None), DOCS)


def _routes(found: Sequence[BaseRoute]) -> Iterator[tuple[str, str, str, str]]:
    for route in found:
        handlers = route.route_handlers if isinstance(route, HTTPRoute) else []
        for handler in handlers:
            if not route.path.startswith("/api/docs"):
                for method in sorted(set(handler.http_methods) - {"OPTIONS", "HEAD"}):
                    yield str(method), f"`{route.path}`", _permission(handler), _first_line(handler.fn.__doc__)
        if isinstance(route, WebSocketRoute):
            socket = route.route_handler
            yield "WebSocket", f"`{route.path}`", _permission(socket), _first_line(socket.fn.__doc__)


def _permission(handler: Any) -> str:
    return f"`{handler.opt.get('permission', '')}`"


def _first_line(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0]


def decisions() -> str:
    """The index of decisions."""
    titles = [path.read_text(encoding="utf-8").splitlines()[0].lstrip("# ") for path in adrs()]
    lines = [f"- [{title}]({path.name})" for title, path in zip(titles, adrs(), strict=True)]
    return page(
        "Decisions", "One page each: context, decision, consequences, what would change our mind.", "\n".join(lines)
    )


def adrs() -> list[Path]:
    """The decisions in order."""
    return sorted((DOCS / "adr").glob("[0-9][0-9][0-9][0-9]-*.md"))


def asvs() -> str:
    """What the OWASP standard asks, and what shows that it is so."""
    ledger = read_ledger("asvs")
    return page(
        "OWASP ASVS 5.0, levels 1 and 2",
        "Ids and levels: Application Security Verification Standard 5.0.0, © The OWASP Foundation, "
        "[CC BY-SA 4.0](https://creativecommons.org/licenses/by-sa/4.0/); this page is under the same licence. "
        "What each asks is said in our own words: the standard's text decides.",
        LEDGER_NOTE,
        table(("level", *STATES, "all"), counts(ledger)),
        table(("id", "level", "state", "asks", "shown by, or why not"), rows(ledger)),
    )


def gbt22239() -> str:
    """What level 3 of China's scheme for graded protection asks of the program."""
    ledger = read_ledger("gbt22239")
    return page(
        "GB/T 22239-2019, level 3 (等保三级)",
        "Clause 8.1, in our own words: the standard's text decides. Clauses about buildings, networks, organisation "
        "and people are the operator's and stand here as one line each.",
        LEDGER_NOTE,
        table(("level", *STATES, "all"), counts(ledger)),
        table(("clause", "level", "state", "asks", "shown by, or why not"), rows(ledger)),
    )


def catalogue() -> str:
    """Every means of disposal."""
    return page("Means", *means.parts(table))


def signing_in() -> str:
    """Every way in, and what guards it."""
    return page("Signing in", *shield.parts(table))


LEDGER_NOTE = (
    "Met is only what a test named here shows; what is done without a test, or left to the operator, counts as not "
    "met. The table lies in `tests/security/`."
)

PAGES: dict[str, Callable[[], str]] = {
    "reference/city.md": city,
    "reference/means.md": catalogue,
    "reference/settings.md": settings,
    "reference/refusals.md": refusals,
    "reference/routes.md": routes,
    "reference/signing-in.md": signing_in,
    "reference/asvs.md": asvs,
    "reference/gbt22239.md": gbt22239,
    "adr/README.md": decisions,
}


def stale() -> list[str]:
    """Pages that are not what the program says now."""
    return [name for name, write in PAGES.items() if not (DOCS / name).exists() or (DOCS / name).read_text() != write()]


if __name__ == "__main__":
    different = stale()
    if "--check" in sys.argv:
        sys.exit(f"Run `make docs`: {', '.join(different)}" if different else 0)
    for name in different:
        (DOCS / name).write_text(PAGES[name](), encoding="utf-8")
