# SPDX-License-Identifier: Apache-2.0
"""From an event to the lines of a run: which playbook counts, and what each of its lines would order on what."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, tzinfo

import msgspec

from citybrain.apps.operations.decide.matching import Choice, Version, choose
from citybrain.apps.operations.decide.network import Network
from citybrain.apps.operations.decide.playbook import NEAREST, Line
from citybrain.kernel.app import Means
from citybrain.kernel.records import Event, Facts, Json

Nearest = Callable[[str, Event], str | None]
"""Who is nearest to an event, of a kind of people or vehicles; None when nobody is."""


Slots = Mapping[str, Mapping[str, Json]]
"""What fills slots, by language."""

PLAIN = (str, int, float)
UNIT = "unit"
"""The parameter in which means of people name who is sent."""


def nobody(_what: str, _event: Event) -> None:
    """Nobody is known to be near."""
    return


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What planning knows of the city. `names` are those of entities by language; `types` those of the event's own;
    `zone` is the one in which its hours are told.
    """

    means: Mapping[str, Means] = {}
    executed: frozenset[str] = frozenset()
    network: Network = msgspec.field(default_factory=Network)
    types: Callable[[str], Sequence[str]] = lambda _id: ()
    names: Callable[[str, str], str] = lambda id, _lang: id
    nearest: Nearest = nobody
    zone: tzinfo = UTC


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """A line on one entity; `code` says why it cannot be ordered. A line on several entities has several `part`s."""

    line: Line
    part: int
    entity_id: str
    parameters: Facts
    code: str = ""
    facts: Facts = {}


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is done about an event, by which playbook, and why by this one."""

    choice: Choice
    lines: tuple[Planned, ...]


def plan(event: Event, playbooks: Iterable[Version], context: Context) -> Plan | None:
    """What the most specific playbook does about an event; None when none fits."""
    choice = choose(playbooks, event, context.types(event.entity_id), context.zone)
    return None if choice is None else plan_by(choice, event, context)


def plan_by(choice: Choice, event: Event, context: Context) -> Plan:
    """What one playbook does about an event."""
    slots = slots_of(event, context)
    lines = [each for line in choice.chosen.playbook.lines for each in _planned(line, event, context, slots)]
    return Plan(choice=choice, lines=tuple(lines))


def targets(target: str, event: Event, context: Context) -> tuple[str, ...]:
    """The entities that a target means: of the event, its road, its signal, those upstream, somebody near, or an id."""
    network = context.network
    if target == "event" or target.startswith(NEAREST):
        # Where nobody is known to be near, whoever carries it out chooses who is sent.
        return (event.entity_id,)
    match target:
        case "upstream_junctions":
            return network.upstream(event)
        case "road":
            found = network.road(event)
        case "junction":
            found = network.junction(event)
        case _:
            found = target
    return (found,) if found else ()


def _planned(line: Line, event: Event, context: Context, slots: Slots) -> Iterable[Planned]:
    code, facts = _unusable(line, context)
    found = targets(line.target, event, context)
    if not found and not code:
        code, facts = "operations.line_without_target", {"target": line.target}
    parameters: Facts = {name: _fill(value, slots, _lang(name)) for name, value in line.parameters.items()}
    if line.target.startswith(NEAREST):
        found, parameters = _nearest(line, event, context, parameters)
    for part, entity_id in enumerate(found or ("",)):
        yield Planned(line=line, part=part, entity_id=entity_id, parameters=parameters, code=code, facts=facts)


def _nearest(line: Line, event: Event, context: Context, parameters: Facts) -> tuple[tuple[str, ...], Facts]:
    """Where an order goes that means somebody near: to the event, naming who is sent, if its means has a parameter
    `unit`; else to whoever is near."""
    unit = context.nearest(line.target.removeprefix(NEAREST), event)
    if unit is None:
        return (event.entity_id,), parameters
    means = context.means.get(line.means)
    names = {field.encode_name for field in msgspec.structs.fields(means.parameters)} if means else set()
    if UNIT in names:
        return (event.entity_id,), {**parameters, UNIT: parameters.get(UNIT) or unit}
    return (unit,), parameters


def _unusable(line: Line, context: Context) -> tuple[str, Facts]:
    if line.means not in context.means:
        return "operations.means_unknown", {"means": line.means}
    if line.means not in context.executed:
        return "operations.means_of_nobody", {"means": line.means}
    return "", {}


def slots_of(event: Event, context: Context) -> Slots:
    """What fills slots of parameters: `{event}`, `{kind}`, `{severity}`, `{entity}`, `{place}`, `{road}`, `{junction}`,
    and `{evidence.NAME}` for what the event's evidence says.

    The place is called as in each language. A text that is nothing but one slot of evidence becomes the value itself;
    unknown slots stay as they are.
    """
    common: dict[str, Json] = {
        "{event}": event.id,
        "{kind}": event.kind,
        "{severity}": event.severity.value,
        "{entity}": event.entity_id,
        "{road}": context.network.road(event) or event.entity_id,
        "{junction}": context.network.junction(event) or event.entity_id,
        **{f"{{evidence.{name}}}": value for name, value in event.evidence.items() if isinstance(value, PLAIN)},
    }
    return {lang: {**common, "{place}": context.names(event.entity_id, lang)} for lang in ("zh", "en")}


def _lang(name: str) -> str:
    """The language of a parameter, which its name tells: `text_en` is English, `text` is not."""
    return "en" if name.endswith("_en") else "zh"


def _fill(value: Json, slots: Slots, lang: str) -> Json:
    if isinstance(value, dict):
        return {name: _fill(each, slots, _lang(name)) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_fill(each, slots, lang) for each in value]
    if not isinstance(value, str) or "{" not in value:
        return value
    if value in slots[lang] and value.startswith("{evidence."):
        return slots[lang][value]
    for slot, fact in slots[lang].items():
        value = value.replace(slot, str(fact))
    return value
