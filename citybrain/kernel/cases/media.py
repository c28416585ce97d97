# SPDX-License-Identifier: Apache-2.0
"""What a file is, by what is in it and never by its name; and which kinds are taken. Pure."""

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

HEAD_BYTES = 4_096
ENTRIES_LOOKED_AT = 2_000
TEXT = "text/plain"
ZIP = "application/zip"

# What may be attached, with the name it ends in when it is downloaded.
TAKEN: Mapping[str, str] = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/heic": ".heic",
    "application/pdf": ".pdf",
    "application/ofd": ".ofd",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "audio/mpeg": ".mp3",
    "audio/wav": ".wav",
    "audio/amr": ".amr",
    "audio/ogg": ".ogg",
    TEXT: ".txt",
}
IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
STRIPPED = frozenset({"image/jpeg", "image/png", "image/webp"})  # from which position and author can be taken out

# ISO base media files say what they are after `ftyp`.
BRANDS = {
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heic",
    b"qt  ": "video/quicktime",
    b"isom": "video/mp4",
    b"iso2": "video/mp4",
    b"mp41": "video/mp4",
    b"mp42": "video/mp4",
    b"avc1": "video/mp4",
    b"M4V ": "video/mp4",
    b"3gp4": "video/mp4",
    b"3gp5": "video/mp4",
}
# A folder inside says which of the office formats a zip is (ECMA-376); OFD names its root (GB/T 33190-2016).
INSIDE = {
    "word/document.xml": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/workbook.xml": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ppt/presentation.xml": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "OFD.xml": "application/ofd",
}


def _riff(head: bytes) -> str | None:
    return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(head[8:12])


def _brand(head: bytes) -> str | None:
    return BRANDS.get(head[8:12]) if head[4:8] == b"ftyp" else None


def _mp3(head: bytes) -> str | None:
    """A frame of MPEG audio layer III without an ID3 tag before it."""
    return "audio/mpeg" if len(head) > 2 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2 else None


SIGNS: tuple[tuple[int, bytes, str | Callable[[bytes], str | None]], ...] = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"OggS", "audio/ogg"),
    (0, b"PK\x03\x04", ZIP),
    (0, b"RIFF", _riff),
    (4, b"ftyp", _brand),
    (0, b"\xff", _mp3),
)


def media_type_of(path: Path) -> str | None:
    """What a file is, None when it is nothing we know. A zip is looked into, not unpacked."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    found = media_type_of_head(head)
    return _inside(path) if found == ZIP else found


def media_type_of_head(head: bytes) -> str | None:
    """What begins so; `application/zip` for all that is packed that way."""
    for at, sign, kind in SIGNS:
        if head[at : at + len(sign)] == sign:
            found = kind if isinstance(kind, str) else kind(head)
            if found:
                return found
    return TEXT if _is_text(head) else None


def _inside(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist()[:ENTRIES_LOOKED_AT])
    except (zipfile.BadZipFile, OSError, ValueError):
        return None
    return next((kind for name, kind in INSIDE.items() if name in names), None)


def _is_text(head: bytes) -> bool:
    """Text in UTF-8 or GB 18030 without signs that only machines read."""
    if not head.strip() or any(byte < 32 and byte not in b"\t\n\r\f" for byte in head):
        return False
    for encoding in ("utf-8", "gb18030"):
        try:
            # The last character may be cut in two.
            head[: len(head) - 3 if len(head) == HEAD_BYTES else None].decode(encoding)
        except UnicodeDecodeError:
            continue
        return True
    return False
