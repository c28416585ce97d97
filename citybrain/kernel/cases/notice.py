# SPDX-License-Identifier: Apache-2.0
"""What people are told: words by topic and language with slots, and to whom by which channel. Pure."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from citybrain.kernel.errors import Invalid, NotFound
from citybrain.kernel.records import Facts, Text

SLOT = re.compile(r"\{(\w+)\}")
EVERY_TOPIC = "*"
SUBJECT_LENGTH = 200
BODY_LENGTH = 10_000
LINE = re.compile(r"[\r\n\x00-\x1f\x7f]+")

# Of one mail server or gateway that is down for a night nothing may be lost: a day and more of trying.
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=2)
TRIES = 24


class Channel(StrEnum):
    """How somebody is told; `desk` is the list of notices in the web."""

    DESK = "desk"
    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"


class State(StrEnum):
    """What became of a notice. `stopped`: who has the address does not want it."""

    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"
    STOPPED = "stopped"


class TemplateUnusable(Invalid):
    """Words that lack a language, or say different things in two."""


class NoSuchTemplate(NotFound):
    """Nobody wrote words for this topic."""


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """The words of a topic; `{slots}` are filled from facts, `{stop}` with the link that ends them."""

    topic: str
    subject: Text
    body: Text
    changed_by: str = ""
    changed_at: datetime | None = None


class Tell(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody is to be told something.

    `person` is an account, or empty for whoever has the `address`. With a `key` it is told once by each channel.
    Without `address` it goes to the addresses the person gave.
    """

    topic: str
    facts: Facts
    person: str = ""
    channel: Channel | None = None
    address: str = ""
    lang: str = "zh"
    case_id: int | None = None
    key: str | None = None


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent: encrypted where it lies. `stop` is the link by which it is not sent again."""

    address: str = ""
    subject: str
    body: str
    stop: str = ""


def check_template(template: Template, languages: tuple[str, ...] = ("zh", "en")) -> None:
    """Refuse words that lack a language, are too long, or have not the same slots in all."""
    for part, limit in ((template.subject, SUBJECT_LENGTH), (template.body, BODY_LENGTH)):
        slots = [frozenset(SLOT.findall(part.get(lang, ""))) for lang in languages]
        blank = any(not part.get(lang, "").strip() for lang in languages)
        if blank or len(set(slots)) > 1 or any(len(each) > limit for each in part.values()):
            raise TemplateUnusable("kernel.template_unusable", {"topic": template.topic})


def topics_of(words: Mapping[str, str]) -> list[str]:
    """What people are told of, by the words there are for it."""
    begin, end = "notice.", ".subject"
    return sorted(key[len(begin) : -len(end)] for key in words if key.startswith(begin) and key.endswith(end))


def fill(words: str, facts: Facts, lang: str) -> str:
    """Words with their slots filled. A slot without a fact stays visible; what is filled in opens no slot."""

    def said(slot: re.Match[str]) -> str:
        fact = facts.get(slot[1], slot[0])
        return str(fact.get(lang, fact.get("zh", ""))) if isinstance(fact, Mapping) else str(fact)

    return SLOT.sub(said, words)


def compose(template: Template, facts: Facts, lang: str) -> tuple[str, str]:
    """Subject (one line, whatever the facts hold) and body."""
    subject = LINE.sub(" ", fill(template.subject.get(lang) or template.subject["zh"], facts, lang))
    return subject[:SUBJECT_LENGTH], fill(template.body.get(lang) or template.body["zh"], facts, lang)


def pause(tries: int) -> timedelta | None:
    """How long to wait after so many tries; None when it was the last."""
    if tries >= TRIES:
        return None
    doublings: int = 2 ** (tries - 1)
    return min(FIRST_PAUSE * doublings, LONGEST_PAUSE)


def wanted(choices: Mapping[tuple[str, str], bool], topic: str, channel: Channel) -> bool:
    """Whether somebody wants a topic by a channel: by what was said of it, else of all topics, else of those before it.

    Topics have parts: what is said of `case` holds for `case.late`. Nothing said: yes.
    """
    names = [topic]
    while "." in names[-1]:
        names.append(names[-1].rpartition(".")[0])
    for name in (*names, EVERY_TOPIC):
        if (name, channel) in choices:
            return choices[name, channel]
    return True
