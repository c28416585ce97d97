# SPDX-License-Identifier: Apache-2.0
"""What people read of an order: its title, its parameters line by line, and the words of a message. Pure."""

from collections.abc import Iterator

import msgspec

from citybrain.kernel.i18n import Words
from citybrain.kernel.records import Entity, Facts, Json, Order, Text

TEXTS = frozenset({"text", "text_en", "task"})
BOTH = ("zh", "en")


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it is kept: what people read by language, what machines read, and the few words for a phone."""

    subject: Text
    body: Text
    brief: Text
    payload: Facts


def name_of(entity: Entity | None, entity_id: str, lang: str) -> str:
    """What a place is called."""
    found = entity.name.get(lang) or entity.name.get("zh") or "" if entity else ""
    return found or entity_id


def title(words: Words, order: Order, entity: Entity | None, lang: str) -> str:
    """The means, and on what."""
    return f"{words.sentence(f'means.{order.means}', {}, lang)} · {name_of(entity, order.entity_id, lang)}"


def lines(words: Words, order: Order, lang: str) -> Iterator[str]:
    """The parameters that say something beside the text, one a line."""
    colon = "：" if lang == "zh" else ": "
    for name, value in order.parameters.items():
        if name not in TEXTS and value not in (None, "", []):
            said = words.sentence(f"order.parameter.{name}", {}, lang)
            yield f"{said}{colon}{_value(words, value, lang)}"


def text_of(order: Order, lang: str) -> str:
    """What the officer wrote, in a language or the other."""
    given = order.parameters
    english = str(given.get("text_en") or "")
    chinese = str(given.get("text") or given.get("task") or "")
    return (english or chinese) if lang == "en" else (chinese or english)


def full(words: Words, order: Order, lang: str) -> str:
    """All there is to say of an order."""
    reason = str(order.because.facts.get("reason", ""))
    said = [text_of(order, lang), *lines(words, order, lang), reason]
    return "\n".join(each for each in said if each)


def letter(words: Words, order: Order, entity: Entity | None, *, extra: Facts | None = None) -> Letter:
    """The message that an order makes."""
    payload: Facts = {
        "order": order.id,
        "means": order.means,
        "at": order.at.isoformat(),
        "by": order.by,
        "event": order.because.event_id or "",
        "entity": {
            "id": order.entity_id,
            "type": entity.type if entity else "",
            "name": dict(entity.name) if entity else {},
            "geometry": entity.geometry if entity else None,
        },
        "parameters": dict(order.parameters),
        **(extra or {}),
    }
    return Letter(
        subject={lang: title(words, order, entity, lang) for lang in BOTH},
        body={lang: full(words, order, lang) or title(words, order, entity, lang) for lang in BOTH},
        brief={
            lang: text_of(order, lang) or full(words, order, lang) or title(words, order, entity, lang) for lang in BOTH
        },
        payload=payload,
    )


def _value(words: Words, value: Json, lang: str) -> str:
    if isinstance(value, str):
        return words.of(lang).get(f"order.choice.{value}", value)
    if isinstance(value, list | tuple):
        return ("、" if lang == "zh" else ", ").join(_value(words, each, lang) for each in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
