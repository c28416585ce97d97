# SPDX-License-Identifier: Apache-2.0
"""What the hotline keeps besides tickets: categories and rules in versions, knowledge, imports, areas."""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import msgspec

from citybrain.apps.hotline.index.similar import pairs_of
from citybrain.kernel import sql
from citybrain.kernel.db import Database, Transaction, to_json
from citybrain.kernel.errors import Conflict, NotFound
from citybrain.kernel.records import Facts, Json


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    version_newest: str
    versions: str
    version_put: str
    article_insert: str
    article_change: str
    article_version: str
    article_versions: str
    articles: str
    import_begin: str
    import_go_on: str
    refusal_put: str
    refusals: str
    area_insert: str
    areas_of_mark: str
    area_confirm: str
    area_remove: str
    areas: str
    area_told: str
    areas_forget: str


SQL = sql.load(Path(__file__).with_name("queries_kept.sql"), Sql)


class VersionTaken(Conflict):
    """Somebody else saved a version meanwhile; what was typed is to be put on top of theirs."""


class NoSuchArticle(NotFound):
    """There is no such article."""


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A version of the categories or rules."""

    version: int
    at: datetime
    by: str
    body: Json


class Article(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the desk knows; `kind` is article, or `script.<stage>`: what clerks say at a stage of a call."""

    id: int = 0
    title: str
    body: str
    kind: str = "article"
    category: str = ""
    public: bool = False
    changed_by: str = ""
    changed_at: datetime | None = None
    valid_until: date | None = None


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a file was read: rows done, and of them taken in, known already, refused."""

    done: int = 0
    taken: int = 0
    known: int = 0
    refused: int = 0
    finished_at: datetime | None = None


class RefusedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that was not taken, by its number in the file (the first after the head is 1), and why."""

    row: int
    code: str
    facts: Facts = {}


class Area(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who wants to be told of reports near a place."""

    id: int
    token_hash: bytes
    email: bytes
    longitude: float
    latitude: float
    radius_m: float
    lang: str
    told_until: datetime


async def newest(db: Database, kind: str) -> Version | None:
    """The version in force."""
    return await db.read_one(SQL.version_newest, {"kind": kind}, as_=Version)


async def versions(db: Database, kind: str) -> list[Version]:
    """All versions, the newest first."""
    return await db.read(SQL.versions, {"kind": kind}, as_=Version)


async def put_version(db: Database, kind: str, version: int, body: Json, *, by: str, now: datetime) -> None:
    """Put a version in force. Refuses `VersionTaken` when that number is there."""
    params = {"kind": kind, "version": version, "at": now, "by": by, "body": to_json(body).decode()}
    if not await db.write(SQL.version_put, params):
        raise VersionTaken("hotline.version_taken", {"kind": kind, "version": version})


async def put_article(db: Database, article: Article, *, by: str, now: datetime) -> int:
    """Write an article, or change one by its id; answers with the id."""
    title = pairs_of(article.title)
    params = {
        **msgspec.structs.asdict(article),
        "words": [*title, *title, *pairs_of(article.body)],
        "by": by,
        "at": now,
    }
    async with db.transaction() as transaction:
        if not article.id:
            params["id"] = (await transaction.read(SQL.article_insert, params, as_=int))[0]
        elif not await transaction.write(SQL.article_change, params):
            raise NoSuchArticle("hotline.no_such_article", {"id": article.id})
        await transaction.write(SQL.article_version, params)
    return int(params["id"])


class Edition(msgspec.Struct, frozen=True, kw_only=True):
    """An article as somebody saved it."""

    at: datetime
    by: str
    title: str
    body: str
    public: bool = False
    valid_until: date | None = None


async def editions(db: Database, id: int) -> list[Edition]:
    """Everything that was saved of an article, the newest first."""
    return await db.read(SQL.article_versions, {"id": id}, as_=Edition)


async def articles(
    db: Database, words: str, today: date | None, *, only_public: bool = False, kind: str = "article", limit: int = 20
) -> list[Article]:
    """Articles of a kind (or of those below it) that fit words best, without words the newest.

    What is out of date on a day is left out; without one nothing is.
    """
    params = {"words": list(pairs_of(words)), "only_public": only_public, "today": today, "limit": limit, "kind": kind}
    return await db.read(SQL.articles, params, as_=Article)


async def begin_import(db: Database, sha: str, name: str, *, by: str, now: datetime) -> Progress:
    """How far a file was read before; nothing of one that is new."""
    return (await db.read(SQL.import_begin, {"sha": sha, "name": name, "by": by, "at": now}, as_=Progress))[0]


async def go_on(
    transaction: Transaction, sha: str, progress: Progress, refused: Sequence[RefusedRow], *, now: datetime
) -> None:
    """Write down how far a file was read, with the rows refused since the last time, in the transaction of the rest."""
    rows = [{"sha": sha, "row": each.row, "code": each.code, "facts": to_json(each.facts).decode()} for each in refused]
    await transaction.write_many(SQL.refusal_put, rows)
    await transaction.write(SQL.import_go_on, {**msgspec.structs.asdict(progress), "sha": sha, "at": now})


async def refusals(db: Database, sha: str) -> list[RefusedRow]:
    """Every row of a file that was refused."""
    return await db.read(SQL.refusals, {"sha": sha}, as_=RefusedRow)
