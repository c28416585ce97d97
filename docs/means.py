# SPDX-License-Identifier: Apache-2.0
"""The page of the catalogue of means: what each is, who may order it, who carries it out, what it promises."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from citybrain.apps.operations.control.means import BY_NAME
from citybrain.apps.operations.control.means.acts import Command, Message, Task, Verb
from citybrain.kernel.app import App, Door, Means
from citybrain.serve import catalog

Table = Callable[[Sequence[str], Iterable[Sequence[str]]], str]

HEAD = ("means", "中文", "English", "parameters", "who may, who does", "promise", "undo")


def parts(table: Table) -> Iterator[str]:
    """A section for each subject."""
    declared = [means for app in catalog.apps() for means in app.means]
    groups: dict[str, list[Means]] = {}
    for means in declared:
        groups.setdefault(means.group or means.name.partition(".")[0], []).append(means)
    yield (
        f"{len(declared)} means in {len(groups)} groups. An order of one is given over `POST /api/orders`, by a "
        "playbook or by a decider; `GET /api/means` says the same with JSON Schemas, and of each whether somebody "
        "would carry it out now. A parameter with `?` may be left out. How to: "
        "[Order people and devices](../howto/order-people-and-devices.md), [Give an order](../howto/give-an-order.md)."
    )
    for group in sorted(groups):
        yield f"## {group}"
        yield table(HEAD, [_row(each) for each in groups[group]])


def _row(means: Means) -> tuple[str, ...]:
    two = ", two persons" if means.two_person else ""
    lasts = ", lasts" if means.lasts else ""
    return (
        f"`{means.name}`",
        f"{_said(means, 'zh')}。{_said(means, 'zh', '.does')}",
        f"{_said(means, 'en')}. {_said(means, 'en', '.does')}",
        _parameters(means.parameters),
        f"`{means.permission}`{two}{lasts}; {_executor(means)}",
        f"{_said(means, 'en', '.effect')} ({_promise(means)})",
        f"{_said(means, 'en', '.undo')}" + (f": `{means.undone_by}`" if means.undone_by else ""),
    )


def _said(means: Means, language: str, part: str = "") -> str:
    return catalog.words().of(language).get(f"means.{means.name}{part}", "")


def _parameters(parameters: type[msgspec.Struct]) -> str:
    fields = msgspec.structs.fields(parameters)
    return ", ".join(f"`{each.encode_name}{'' if each.required else '?'}`" for each in fields)


def _promise(means: Means) -> str:
    effect = means.effect
    if effect is None:
        return "–"
    value = (
        "" if effect.value is None else f" {effect.value:g}" if isinstance(effect.value, float) else f" {effect.value}"
    )
    on = "" if effect.on == "entity" else f" of the {effect.on}"
    return f"`{effect.attribute}`{on} {effect.becomes}{value}, {effect.within.total_seconds():g} s"


def _executor(means: Means) -> str:
    """Who carries it out, and as what."""
    act = BY_NAME.get(means.name)
    match act.how if act else None:
        case Task(role=role, type=type):
            return f"a case `{type}` for " + (f"role `{role}`" if role else "the department named")
        case Message(role=role):
            return f"messages to role `{role}`"
        case Command() as how:
            return f"`{how.desired}` on " + ", ".join(f"`{each}`" for each in means.entity_types)
        case Verb(name=name):
            return f"`{name}` of what was ordered"
    found: list[App | Door] = [*catalog.doors(), *catalog.apps()]
    return ", ".join(f"{_kind(each)} `{each.name}`" for each in found if means.name in each.executes)


def _kind(part: Any) -> str:
    return "app" if isinstance(part, App) else "door"
