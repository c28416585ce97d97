# SPDX-License-Identifier: Apache-2.0
"""While the clerk types: likely category and department, the place, duplicates, and answers that were given before."""

from datetime import datetime

import msgspec

from citybrain.apps.hotline import choice
from citybrain.apps.hotline.choice import Matter, Routed
from citybrain.apps.hotline.index.places import Found
from citybrain.apps.hotline.index.similar import Near
from citybrain.apps.hotline.model import Channel
from citybrain.apps.hotline.service.hotline import Hotline

MOST = 5
# Words that the tree names are a clerk's own rule; the classifier knows more words but not this city's tree.
WORDS_CHANCE = 0.9


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is typed so far."""

    text: str
    channel: Channel = Channel.PHONE
    category: str = ""
    longitude: float | None = None
    latitude: float | None = None


class Likely(msgspec.Struct, frozen=True, kw_only=True):
    """A likely category; `how`: words of the tree, or the classifier."""

    category: str
    chance: float
    how: str


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """What the hotline thinks of a text. `sure` is false when a person must choose the category."""

    categories: tuple[Likely, ...]
    sure: bool
    routed: Routed
    urgency: str
    places: tuple[Found, ...]
    duplicates: tuple[Near, ...]
    answered: tuple[Near, ...]


def suggest(hotline: Hotline, asked: Asked, *, now: datetime) -> Suggestion:
    """All in memory: nothing waits for the database or the network."""
    likely, sure = _categories(hotline, asked.text)
    category = asked.category or (likely[0].category if likely else "")
    places = hotline.places.find(asked.text)
    place = _place(asked, places)
    alike = hotline.tickets.find(asked.text, now=now, category=category, place=place)
    urgency = hotline.tree.urgency(category)
    matter = Matter(
        category=category,
        channel=asked.channel,
        urgency=urgency,
        text=asked.text,
        at=now,
        longitude=place[0] if place else None,
        latitude=place[1] if place else None,
    )
    return Suggestion(
        categories=tuple(likely[:MOST]),
        sure=bool(asked.category) or sure,
        routed=choice.route(hotline.rules, hotline.tree, matter),
        urgency=urgency,
        places=tuple(places),
        duplicates=alike.duplicates,
        answered=alike.answered,
    )


def _categories(hotline: Hotline, text: str) -> tuple[list[Likely], bool]:
    by_words = choice.by_words(hotline.tree, text)
    total = sum(letters for _, letters in by_words) or 1
    found = [
        Likely(category=each.id, chance=round(WORDS_CHANCE * letters / total, 3), how="words")
        for each, letters in by_words[:MOST]
    ]
    guess = hotline.guess(text) if text.strip() else None
    for label, chance in guess.ranked[:MOST] if guess else ():
        category = hotline.category_of(label)
        if category and all(each.category != category for each in found):
            found.append(Likely(category=category, chance=round(chance, 3), how="learned"))
    sure = bool(by_words) or bool(guess and guess.category)
    return sorted(found, key=lambda each: (-each.chance, each.category)), sure


def _place(asked: Asked, places: list[Found]) -> tuple[float, float] | None:
    if asked.longitude is not None and asked.latitude is not None:
        return asked.longitude, asked.latitude
    if places and places[0].how == "name":
        return places[0].place.longitude, places[0].place.latitude
    return None
