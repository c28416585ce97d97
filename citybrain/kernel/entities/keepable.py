# SPDX-License-Identifier: Apache-2.0
"""What a text must be so that the database can hold it. One that is not must never reach the writer, who would stop."""

from citybrain.kernel.errors import Invalid

KEY_BYTES = 2500  # an entry of a b-tree holds 2,704 bytes (PostgreSQL, pages of 8 KiB)


class UnkeepableWord(Invalid):
    """A word that no text of the database can hold: it has a NUL, or half a character."""


class KeyTooLong(Invalid):
    """An identifier or name that is longer than an index can hold."""


def check_keepable(*texts: str) -> None:
    """Refuses texts that cannot be kept (`UnkeepableWord`)."""
    for text in texts:
        _encoded(text)


def check_key(*texts: str) -> None:
    """Refuses texts that cannot be found again together, as one key (`UnkeepableWord`, `KeyTooLong`)."""
    if sum(len(_encoded(text)) for text in texts) > KEY_BYTES:
        raise KeyTooLong("kernel.key_too_long", {"limit": KEY_BYTES})


def _encoded(text: str) -> bytes:
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        encoded = b"\x00"
    if b"\x00" in encoded:
        raise UnkeepableWord("kernel.word_unkeepable", {"word": ascii(text)})
    return encoded
