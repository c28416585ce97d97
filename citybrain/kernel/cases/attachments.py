# SPDX-License-Identifier: Apache-2.0
"""Files that belong to cases: uploaded first, then attached; shown to everybody only without position and author."""

import asyncio
import re
import unicodedata
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from citybrain.kernel import sql
from citybrain.kernel.cases.file_store import INCOMING, FileStore, FileTooLarge, Incoming
from citybrain.kernel.cases.media import HEAD_BYTES, IMAGES, STRIPPED, TAKEN, TEXT, media_type_of, media_type_of_head
from citybrain.kernel.cases.scanning import Scan, Scanner, no_scan
from citybrain.kernel.cases.stripping import scale, strip
from citybrain.kernel.db import Database, Transaction
from citybrain.kernel.errors import Conflict, Invalid, NotFound

MB = 1_000_000
NEVER_ATTACHED_LASTS = timedelta(days=1)
REMOVED_LASTS = timedelta(days=30)
NAME_LENGTH = 120
UNSPEAKABLE = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    file_lock: str
    file_put: str
    upload_insert: str
    attachments_by_id: str
    attachments_of: str
    attach: str
    publish: str
    unpublish: str
    remove: str
    waiting_of: str
    uploads_forget: str
    files_unused: str
    file_drop: str
    file_known: str


SQL = sql.load(Path(__file__).with_name("queries_attachments.sql"), Sql)


class TooLarge(StrEnum):
    """What becomes of a photo above the limit."""

    REFUSE = "refuse"
    SCALE = "scale"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What may be uploaded. A photo above `photo_mb` is refused or made smaller; above `file_mb` nothing is taken."""

    photo_mb: int = 20
    file_mb: int = 100
    photo_too_large: TooLarge = TooLarge.REFUSE
    taken: frozenset[str] = frozenset(TAKEN)
    waiting: int = 20
    waiting_mb: int = 300


class TypeRefused(Invalid):
    """The content of the file is of a kind that is not taken, whatever its name says."""


class FileEmpty(Invalid):
    """There is nothing in the file."""


class UploadsWaiting(Conflict):
    """Who uploads has as much waiting as may wait; attach it or wait a day."""


class NoSuchAttachment(NotFound):
    """There is no such attachment for who asks."""


class NotForPublic(Invalid):
    """Position and author cannot be taken out of this kind of file, so it is not shown to everybody."""


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file with its name. Without `case_id` it waits to be attached; `original_sha` is it as it came, if stripped."""

    id: int
    case_id: int | None
    owner: str
    sha: str
    original_sha: str | None
    name: str
    public: bool
    uploaded_at: datetime
    attached_at: datetime | None
    removed_at: datetime | None
    size: int
    media_type: str
    scan: Scan


class Attachments:
    """The attachments of one city. Whether somebody may see the case is for the caller to say."""

    def __init__(
        self, db: Database, files: FileStore, *, limits: Limits | None = None, scanner: Scanner = no_scan
    ) -> None:
        self._db = db
        self.files = files
        self.limits = limits or Limits()
        self._scan = scanner

    async def upload(
        self, owner: str, name: str, pieces: AsyncIterable[bytes], *, announced: int = 0, now: datetime
    ) -> Attachment:
        """Take a file in. `owner` is who may attach it: an account or the hash of a browser's secret.

        With `announced`, how many bytes are to come, too large a photo is refused as soon as it is known to be one.
        Refuses `FileTooLarge`, `TypeRefused`, `FileEmpty`, `UploadsWaiting`, `FileInfected`, `ScanUnavailable`.
        """
        await self._check_waiting(owner)
        watched = self._watched(pieces, announced)
        async with self.files.receive(watched, limit=self.limits.file_mb * MB) as incoming:
            media_type = await asyncio.to_thread(self._media_type, incoming)
            scan = await self._scan(incoming.path)
            if media_type in IMAGES and incoming.size > self.limits.photo_mb * MB:
                smaller = await self._smaller(incoming, media_type)
                async with self.files.receive_bytes(smaller) as scaled:
                    return await self._keep(owner, _photo_name(name), scaled, "image/jpeg", scan, now)
            return await self._keep(owner, name, incoming, media_type, scan, now)

    async def _watched(self, pieces: AsyncIterable[bytes], announced: int) -> AsyncIterator[bytes]:
        """What comes, until it is too much for what it is."""
        head, size = b"", 0
        async for piece in pieces:
            head = head + piece[: HEAD_BYTES - len(head)] if len(head) < HEAD_BYTES else head
            size += len(piece)
            self._check_photo(head, max(size, announced))
            yield piece

    def _check_photo(self, head: bytes, size: int) -> None:
        """Refuse a photo that is too large while it comes, unless it will be made smaller."""
        if size <= self.limits.photo_mb * MB:
            return
        kind = media_type_of_head(head)
        if kind in IMAGES and self._is_refused(kind):
            raise self._photo_too_large(size)

    def _is_refused(self, media_type: str | None) -> bool:
        return self.limits.photo_too_large is TooLarge.REFUSE or media_type == "image/gif"

    def _photo_too_large(self, size: int) -> FileTooLarge:
        facts = {"limit_mb": self.limits.photo_mb, "size_mb": round(size / MB, 1)}
        return FileTooLarge("kernel.photo_too_large", facts)

    async def _check_waiting(self, owner: str) -> None:
        count, size = (await self._db.rows(SQL.waiting_of, {"owner": owner}))[0]
        if count >= self.limits.waiting or size >= self.limits.waiting_mb * MB:
            raise UploadsWaiting("kernel.uploads_waiting", {"count": count, "size_mb": size // MB})

    def _media_type(self, incoming: Incoming) -> str:
        if not incoming.size:
            raise FileEmpty("kernel.file_empty", {})
        found = media_type_of(incoming.path)
        if found not in self.limits.taken or found is None:
            kinds = ", ".join(sorted(TAKEN[each].removeprefix(".") for each in self.limits.taken))
            raise TypeRefused("kernel.file_type_refused", {"found": found or "?", "kinds": kinds})
        return found

    async def _smaller(self, incoming: Incoming, media_type: str) -> bytes:
        if self._is_refused(media_type):
            raise self._photo_too_large(incoming.size)
        return await asyncio.to_thread(lambda: scale(incoming.path.read_bytes()))

    async def _keep(
        self, owner: str, name: str, incoming: Incoming, media_type: str, scan: Scan, now: datetime
    ) -> Attachment:
        async with self._db.transaction() as transaction:
            await self._put(transaction, incoming, media_type, scan, now)
            params = {"owner": owner, "sha": incoming.sha, "name": safe_name(name, media_type), "now": now}
            ids = await transaction.read(SQL.upload_insert, {**params, "original_sha": None}, as_=int)
            return (await transaction.read(SQL.attachments_by_id, {"ids": ids}, as_=Attachment))[0]

    async def _put(
        self, transaction: Transaction, incoming: Incoming, media_type: str, scan: Scan, now: datetime
    ) -> None:
        """Write the row and put the file in its place; under the lock nobody throws the content away meanwhile."""
        await transaction.rows(SQL.file_lock, {"sha": incoming.sha})
        params = {"sha": incoming.sha, "size": incoming.size, "media_type": media_type, "scan": scan, "now": now}
        await transaction.write(SQL.file_put, params)
        await asyncio.to_thread(self.files.keep, incoming)

    async def attach(
        self, transaction: Transaction, owner: str, ids: Sequence[int], case_id: int, now: datetime
    ) -> None:
        """Attach uploads to a case, in the transaction of the act they come with. All of them or none."""
        given = list(dict.fromkeys(ids))
        params = {"owner": owner, "ids": given, "case_id": case_id, "now": now}
        if await transaction.write(SQL.attach, params) != len(given):
            raise NoSuchAttachment("kernel.no_such_attachment", {"id": ", ".join(map(str, ids))})

    async def of_case(self, case_id: int, *, public_only: bool = False) -> list[Attachment]:
        """The attachments of a case, in order of upload."""
        params = {"case_id": case_id, "public_only": public_only}
        return await self._db.read(SQL.attachments_of, params, as_=Attachment)

    async def get(self, id: int) -> Attachment:
        """One attachment; refuses `NoSuchAttachment`."""
        found = await self._db.read_one(SQL.attachments_by_id, {"ids": [id]}, as_=Attachment)
        if found is None:
            raise NoSuchAttachment("kernel.no_such_attachment", {"id": id})
        return found

    async def publish(
        self, id: int, *, now: datetime, also: Callable[[Transaction], Awaitable[None]] | None = None
    ) -> Attachment:
        """Show a photo to everybody, without position and author; the original stays for those who see the case.

        `also` is done in the same transaction. Refuses `NotForPublic` for kinds from which they cannot be taken out.
        """
        found = await self.get(id)
        if found.media_type not in STRIPPED:
            kinds = ", ".join(sorted(TAKEN[each].removeprefix(".") for each in STRIPPED))
            raise NotForPublic("kernel.file_not_for_public", {"name": found.name, "kinds": kinds})
        data = await asyncio.to_thread(self.files.path(found.sha).read_bytes)
        stripped = await asyncio.to_thread(strip, data, found.media_type)
        async with self.files.receive_bytes(stripped) as incoming, self._db.transaction() as transaction:
            await self._put(transaction, incoming, found.media_type, found.scan, now)
            await transaction.write(SQL.publish, {"id": id, "sha": incoming.sha})
            if also:
                await also(transaction)
        return await self.get(id)

    async def unpublish(self, id: int, *, within: Transaction | None = None) -> None:
        """Show it no longer to everybody."""
        await (within or self._db).write(SQL.unpublish, {"id": id})

    async def remove(self, transaction: Transaction, id: int, now: datetime) -> None:
        """Take an attachment away from its case; it is thrown away a month later."""
        if not await transaction.write(SQL.remove, {"id": id, "now": now}):
            raise NoSuchAttachment("kernel.no_such_attachment", {"id": id})

    def as_it_came(self, attachment: Attachment) -> Attachment:
        """The same with the file as it came, for those who see the case; refuses `FileGone`."""
        if attachment.original_sha is None:
            return attachment
        size = self.files.size(attachment.original_sha)
        return replace(attachment, sha=attachment.original_sha, size=size, public=False)

    def read(self, attachment: Attachment, *, original: bool = False) -> AsyncIterator[bytes]:
        """What is in the file, in pieces; with `original` as it came, for those who see the case."""
        return self.files.read((attachment.original_sha if original else None) or attachment.sha)

    async def collect_garbage(self, *, now: datetime) -> int:
        """Throw away what was never attached within a day, what was removed a month ago, and files nobody knows.

        Answers with the number of files. A crash in between leaves only what the next call throws away.
        """
        before = now - NEVER_ATTACHED_LASTS
        await self._db.write(SQL.uploads_forget, {"before": before, "removed_before": now - REMOVED_LASTS})
        count = 0
        for sha in await self._db.read(SQL.files_unused, {"before": before}, as_=str):
            count += await self._drop(sha)
        for path in await asyncio.to_thread(lambda: list(self.files.left_behind(before_s=before.timestamp()))):
            if path.parent.name == INCOMING:
                path.unlink(missing_ok=True)
                count += 1
            elif not (await self._db.read(SQL.file_known, {"sha": path.name}, as_=bool))[0]:
                count += await self._drop(path.name)
        return count

    async def _drop(self, sha: str) -> bool:
        async with self._db.transaction() as transaction:
            await transaction.rows(SQL.file_lock, {"sha": sha})
            await transaction.write(SQL.file_drop, {"sha": sha})
            if (await transaction.read(SQL.file_known, {"sha": sha}, as_=bool))[0]:
                return False
            self.files.forget(sha)
        return True


def safe_name(name: str, media_type: str) -> str:
    """A name for a download: no path, no signs that mislead, and the ending of what the file really is."""
    plain = UNSPEAKABLE.sub("_", unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])).strip(" .")
    ending = TAKEN.get(media_type, ".bin")
    if not plain.lower().endswith(ending) and not (ending == ".jpg" and plain.lower().endswith(".jpeg")):
        plain = f"{plain or 'file'}{ending}"
    stem, dot, last = plain.rpartition(".")
    return f"{stem[:NAME_LENGTH]}{dot}{last}"


def _photo_name(name: str) -> str:
    return f"{name.rpartition('.')[0] or name}.jpg"


def download_headers(attachment: Attachment, *, inline: bool = False) -> Mapping[str, str]:
    """The headers of an answer with a file: it is saved, or shown if it is an image, and never run as our page."""
    shown = inline and attachment.media_type in IMAGES
    name = attachment.name
    plain = name.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_")
    kind = f"{TEXT}; charset=utf-8" if attachment.media_type == TEXT else attachment.media_type
    return {
        "Content-Type": kind,
        "Content-Length": str(attachment.size),
        "Content-Disposition": f'{"inline" if shown else "attachment"}; filename="{plain}"; '
        f"filename*=UTF-8''{quote(name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, max-age=0, no-cache" if not attachment.public else "public, max-age=86400",
        "ETag": f'"{attachment.sha}"',
    }
