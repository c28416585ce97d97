# SPDX-License-Identifier: Apache-2.0
"""The hotline's words: what a citizen tells, categories, urgency, ratings, and a ticket as figures need it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from citybrain.kernel.errors import Invalid
from citybrain.kernel.records import Text

TYPE = "hotline_ticket"
ARCHIVE = "hotline_archive"
"""Tickets that were closed elsewhere: taken in as they are, with no time limits."""
TYPES = (TYPE, ARCHIVE)
DESK = "hotline"
"""The department that takes every ticket in, and that a ticket goes back to."""


class Channel(StrEnum):
    """How a ticket came."""

    PHONE = "phone"
    WEB = "web"
    APP = "app"
    EMAIL = "email"
    IMPORT = "import"
    OPEN311 = "open311"


class Urgency(StrEnum):
    """How soon an answer is due; the times are rules of the type of case, so a city can change them."""

    EMERGENCY = "emergency"
    UTILITIES = "utilities"
    GENERAL = "general"
    COMPLEX = "complex"


PRIORITY: Mapping[Urgency, int] = {
    Urgency.EMERGENCY: 1,
    Urgency.UTILITIES: 2,
    Urgency.GENERAL: 3,
    Urgency.COMPLEX: 4,
}
URGENCY: Mapping[int, Urgency] = {number: word for word, number in PRIORITY.items()}


class Resolution(StrEnum):
    """What became of the matter."""

    RESOLVED = "resolved"
    EXPLAINED = "explained"
    UNFOUNDED = "unfounded"


class Datatype(StrEnum):
    """What a question is answered with: the words of GeoReport v2."""

    STRING = "string"
    NUMBER = "number"
    DATETIME = "datetime"
    TEXT = "text"
    ONE_OF = "singlevaluelist"
    SOME_OF = "multivaluelist"


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of those that a question offers."""

    key: str
    name: Text


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What a category needs to know besides the words: about the matter, never about who tells it."""

    code: str
    words: Text
    datatype: Datatype = Datatype.STRING
    required: bool = False
    hint: Text = {}
    options: tuple[Option, ...] = ()


class Category(msgspec.Struct, frozen=True, kw_only=True):
    """A node of the tree of categories; its `id` has one part for each level: `water.supply.outage`.

    `department`, `urgency` and `questions` hold for those below too that say nothing else; `words` are what citizens
    call it.
    """

    id: str
    name: Text
    department: str = ""
    urgency: Urgency | None = None
    words: tuple[str, ...] = ()
    public: bool = True
    questions: tuple[Question, ...] = ()


class TreeUnusable(Invalid):
    """Categories that do not make a tree of three levels."""


LEVELS = 3


class Tree:
    """Categories with what each inherits from those above it."""

    def __init__(self, categories: Sequence[Category], version: int = 0) -> None:
        self.version = version
        self.categories: Mapping[str, Category] = {each.id: each for each in categories}

    def check(self, departments: Collection[str] | None = None) -> None:
        """Refuse one with a category that has no parent, more than three levels, no department, or a name missing.

        With `departments` also one that names another.
        """
        for each in self.categories.values():
            parent = each.id.rpartition(".")[0]
            bad = (parent and parent not in self.categories) or each.id.count(".") >= LEVELS
            if bad or not all(each.name.get(lang, "").strip() for lang in ("zh", "en")) or not self.department(each.id):
                raise TreeUnusable("hotline.tree_unusable", {"category": each.id})
            if departments is not None and each.department and each.department not in departments:
                facts = {"category": each.id, "department": each.department}
                raise TreeUnusable("hotline.tree_department", facts)

    def line(self, id: str) -> Iterator[Category]:
        """A category and those above it, the narrowest first; what is unknown is left out."""
        while id:
            if id in self.categories:
                yield self.categories[id]
            id = id.rpartition(".")[0]

    def department(self, id: str) -> str:
        """Whose work a category is; empty when nothing says."""
        return next((each.department for each in self.line(id) if each.department), "")

    def urgency(self, id: str) -> Urgency:
        """How soon an answer is due."""
        return next((each.urgency for each in self.line(id) if each.urgency), Urgency.GENERAL)

    def questions(self, id: str) -> tuple[Question, ...]:
        """What is asked of whoever reports something of a category."""
        return next((each.questions for each in self.line(id) if each.questions), ())

    def name(self, id: str, lang: str) -> str:
        """The names from the top down."""
        return " / ".join(each.name.get(lang, each.id) for each in reversed(list(self.line(id))))

    def is_public(self, id: str) -> bool:
        """Whether tickets of a category are on the public map."""
        return all(each.public for each in self.line(id))


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket as figures, lists and search need it: a row that follows its case. Nothing here tells of the caller."""

    case_id: int
    number: str
    category: str
    department: str
    first_department: str | None = None
    channel: str
    urgency: str
    state: str
    phase: str
    text: str
    answer: str = ""
    longitude: float | None = None
    latitude: float | None = None
    address: str = ""
    created_at: datetime
    changed_at: datetime
    accepted_at: datetime | None = None
    answered_at: datetime | None = None
    due_at: datetime | None = None
    closed_at: datetime | None = None
    transfers: int = 0
    sent_back: int = 0
    reopened: int = 0
    supervised: bool = False
    resolution: str = ""
    resolved: bool | None = None
    satisfaction: str = ""
    public: bool = False


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who told it: only what the answer needs. All empty: anonymous."""

    name: str = ""
    phone: str = ""
    email: str = ""

    def __bool__(self) -> bool:
        """Whether anything is known of them."""
        return bool(self.name or self.phone or self.email)


class Intake(msgspec.Struct, frozen=True, kw_only=True):
    """One matter as it came, by whatever channel. With a `key` it is taken in once, however often it is sent.

    `photos` are uploads of `photos_owner`. With `keep_number` the number of the call `call_id` is the caller's, with
    `hand_on` the rules may send a phone ticket on.
    """

    text: str
    channel: Channel
    caller: Caller = Caller()
    category: str = ""
    department: str = ""
    urgency: Urgency | None = None
    longitude: float | None = None
    latitude: float | None = None
    address: str = ""
    key: str | None = None
    call_id: int | None = None
    keep_number: bool = False
    hand_on: bool = False
    number: str | None = None
    created_at: datetime | None = None
    public: bool = False
    photos: tuple[int, ...] = ()
    photos_owner: str = ""


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What a citizen gets: the number to name, and the secret by which only they follow it ("" when it was known)."""

    case_id: int
    number: str
    secret: str
    department: str
    because: "Reason"


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why something was chosen: a code with facts that make one sentence."""

    code: str
    facts: dict[str, str | int] = {}
