# SPDX-License-Identifier: Apache-2.0
"""Reading a text of a query language from left to right, and saying where it went wrong."""

import re
from typing import NoReturn

from citybrain.kernel.entities.refusals import BadRequestData, TooComplexQuery

LONGEST = 8_192
_FOUND_SHOWN = 24
_BLANK = re.compile(r"\s*")


class Scanner:
    """A place in a text. `parameter` is the name under which it was given."""

    def __init__(self, text: str, parameter: str) -> None:
        """Start at the beginning. Refuses `TooComplexQuery` for a text longer than `LONGEST` characters."""
        if len(text) > LONGEST:
            raise TooComplexQuery(
                "kernel.query_too_long", {"parameter": parameter, "length": len(text), "longest": LONGEST}
            )
        self.text = text
        self.parameter = parameter
        self.position = 0
        self.skip_blanks()

    @property
    def rest(self) -> str:
        """What is still to be read."""
        return self.text[self.position :]

    @property
    def is_at_end(self) -> bool:
        """Nothing is left."""
        return self.position >= len(self.text)

    def skip_blanks(self) -> None:
        """Go on to what is not blank."""
        found = _BLANK.match(self.text, self.position)
        self.position = found.end() if found else self.position

    def sees(self, sign: str) -> bool:
        """The sign comes next."""
        return self.text.startswith(sign, self.position)

    def takes(self, sign: str) -> bool:
        """The sign comes next, and is now read, with the blanks after it."""
        if not self.text.startswith(sign, self.position):
            return False
        self.position += len(sign)
        self.skip_blanks()
        return True

    def match(self, pattern: re.Pattern[str]) -> str | None:
        """What of the pattern comes next, now read with the blanks after it; None, and nothing read, if none does."""
        found = pattern.match(self.text, self.position)
        if found is None or found.end() == self.position:
            return None
        self.position = found.end()
        self.skip_blanks()
        return found[0]

    def expect(self, sign: str) -> None:
        """Read the sign or refuse."""
        if not self.takes(sign):
            self.refuse(sign)

    def end(self) -> None:
        """Refuse if anything is left."""
        if not self.is_at_end:
            self.refuse("")

    def refuse(self, expected: str) -> NoReturn:
        """Refuse the text here: `expected` is a sign or one of the words attribute, value, type, scope, number."""
        facts = {"parameter": self.parameter, "position": self.position, "found": self.rest[:_FOUND_SHOWN]}
        if not expected:
            raise BadRequestData("kernel.query_has_more", facts)
        if self.is_at_end:
            raise BadRequestData("kernel.query_ends_early", {**facts, "expected": expected})
        raise BadRequestData("kernel.query_unreadable", {**facts, "expected": expected})
