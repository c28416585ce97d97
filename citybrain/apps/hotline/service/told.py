# SPDX-License-Identifier: Apache-2.0
"""What comes through a door for reports: the same ticket as by any other channel."""

from citybrain.apps.hotline.model import Caller, Channel, Intake, Question, Tree
from citybrain.apps.hotline.service.hotline import MACHINE, Hotline
from citybrain.apps.hotline.service.intake import TellingUnusable, cleaned, take
from citybrain.apps.hotline.service.publishing import Publisher
from citybrain.apps.hotline.store import tickets
from citybrain.kernel.cases.intake import Take, Taken, Telling
from citybrain.kernel.clock import utc_now

OFFICE = "zh"
"""The language of the desk, in which what was asked stands in the ticket."""

FOLLOW = "/citizen/follow/"
"""Where the page of a report lies."""


def intake_of(hotline: Hotline, publisher: Publisher) -> Take:
    """How this hotline takes in what was told; a ticket that everybody may see is shown at once."""

    async def take_told(telling: Telling) -> Taken:
        if not hotline.tree.is_public(telling.category) or telling.category not in hotline.tree.categories:
            raise TellingUnusable("hotline.telling_unusable", {"field": "category"})
        matter = _matter(hotline.tree, telling)
        if telling.rehearsal:
            cleaned(hotline, matter)
            return Taken(number="")
        receipt = await take(hotline, MACHINE, matter, now=utc_now())
        found = await tickets.by_ids(hotline.db, [receipt.case_id])
        await publisher.follow(found, utc_now())
        page = f"{FOLLOW}{receipt.secret}" if receipt.secret else ""
        return Taken(number=receipt.number, due_at=found[0].due_at if found else None, page=page)

    return take_told


def _matter(tree: Tree, telling: Telling) -> Intake:
    return Intake(
        text=_text(tree, telling),
        channel=Channel(telling.channel),
        caller=Caller(name=telling.teller.name, phone=telling.teller.phone, email=telling.teller.email),
        category=telling.category,
        longitude=telling.longitude,
        latitude=telling.latitude,
        address=telling.address,
        public=True,
        key=telling.key,
    )


def _text(tree: Tree, telling: Telling) -> str:
    """The words, then each answer and each picture on a line of its own; of no words the category is the text."""
    lines = [telling.text.strip() or tree.name(telling.category, OFFICE)]
    asked = {each.code: each for each in tree.questions(telling.category)}
    for code, values in telling.answers.items():
        if code in asked:
            lines.append(f"{asked[code].words.get(OFFICE, code)}：{'、'.join(_named(asked[code], values))}")
    return "\n".join([*lines, *telling.media])


def _named(question: Question, values: tuple[str, ...]) -> list[str]:
    names = {option.key: option.name.get(OFFICE, option.key) for option in question.options}
    return [names.get(value, value) for value in values]
