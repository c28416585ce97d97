# SPDX-License-Identifier: Apache-2.0
"""What a text must be so that the database can hold it. One that is not must never reach the writer, who would stop."""

from citybrain.kernel.errors import Invalid


class UnkeepableWord(Invalid):
    """A word that no text of the database can hold: it has a NUL, or half a character."""


def check_keepable(*texts: str) -> None:
    """Refuses texts that cannot be kept."""
    for text in texts:
        try:
            if "\x00" not in text and text.encode():
                continue
        except UnicodeEncodeError:
            pass
        if text:
            raise UnkeepableWord("kernel.word_unkeepable", {"word": ascii(text)})
