# SPDX-License-Identifier: Apache-2.0
"""Taking in what the outside tells: an app offers to, a door hands it over, and neither knows the other."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

import msgspec

from citybrain.kernel.errors import Unavailable


class Teller(msgspec.Struct, frozen=True, kw_only=True):
    """Who tells it, as far as they say. Whoever takes it in keeps this as personal data, for a purpose, or not at all.

    It stands apart from the matter, so that nothing of it gets into what many may read.
    """

    name: str = ""
    phone: str = ""
    email: str = ""


class Telling(msgspec.Struct, frozen=True, kw_only=True):
    """One matter as it was told through a door.

    `category` and the codes of `answers` are those that the app has published. Coordinates are WGS-84. `media` are
    addresses of pictures elsewhere; nobody here opens them. With a `key` it is taken in once, however often it is
    sent. A `rehearsal` is checked like any other, and nothing of it is kept.
    """

    channel: str
    text: str
    category: str = ""
    longitude: float | None = None
    latitude: float | None = None
    address: str = ""
    media: tuple[str, ...] = ()
    answers: Mapping[str, tuple[str, ...]] = {}
    teller: Teller = Teller()
    key: str | None = None
    rehearsal: bool = False


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """The receipt: the number of the case, "" for a rehearsal, and by when it will be answered, if that is known.

    `page` is the path at which it is followed by whoever told it, and by nobody else: only they are to be told of it,
    and only once.
    """

    number: str
    due_at: datetime | None = None
    page: str = ""


class NobodyTakes(Unavailable):
    """No app of this city takes in what comes by this channel."""


Take = Callable[[Telling], Awaitable[Taken]]
"""Makes a case of what was told. Refuses with a code of its own what cannot be one."""


class Intakes:
    """Who takes in what, by channel."""

    def __init__(self) -> None:
        self._takes: dict[str, Take] = {}

    @contextmanager
    def offered(self, channel: str, take: Take) -> Iterator[None]:
        """Take in what comes by a channel, as long as the block lasts."""
        self._takes[channel] = take
        try:
            yield
        finally:
            del self._takes[channel]

    async def take(self, telling: Telling) -> Taken:
        """Hand over what was told. Refuses `NobodyTakes`, and what the app refuses."""
        take = self._takes.get(telling.channel)
        if take is None:
            raise NobodyTakes("kernel.nobody_takes", {"channel": telling.channel})
        return await take(telling)
