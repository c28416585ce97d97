# SPDX-License-Identifier: Apache-2.0
"""Entities as if those that others hold were here too: a transient view, and finding in it (CIM 009 clause 4.3.6)."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import msgspec

from citybrain.kernel.entities.document import Document
from citybrain.kernel.entities.evaluate import matches
from citybrain.kernel.entities.query import EntityQuery

Find = Callable[..., Awaitable[Any]]


class View:
    """Documents of one tenant with others merged in or, without a base, those others alone.

    It has what readers use of `Documents`; nothing can be written through it. Entities that are only here come
    first, in the order of their creation, then the gathered ones in theirs.
    """

    def __init__(self, base: Any, tenant: str, gathered: Mapping[str, Document], *, alone: bool = False) -> None:
        self.base = base
        self.tenant = tenant
        self.gathered = gathered
        self.alone = alone

    def __getattr__(self, name: str) -> Any:
        """Whatever does not concern entities is asked of the documents themselves."""
        return getattr(self.base, name)

    def get(self, tenant: str, id: str) -> Document | None:
        """An entity as all together have it."""
        if tenant == self.tenant and (self.alone or id in self.gathered):
            return self.gathered.get(id)
        found: Document | None = self.base.get(tenant, id)
        return found

    def raw(self, tenant: str, id: str) -> bytes | None:
        """An entity as JSON of its `Document`."""
        found = self.get(tenant, id)
        return None if found is None else msgspec.json.encode(found)

    def types(self, tenant: str, id: str) -> tuple[str, ...]:
        """The types of an entity."""
        found = self.get(tenant, id)
        return () if found is None else found.types

    def scan(self, tenant: str, type: str | None = None) -> Iterator[Document]:
        """All entities, or those of a type."""
        if tenant != self.tenant or not self.alone:
            mine = tenant == self.tenant
            yield from (each for each in self.base.scan(tenant, type) if not mine or each.id not in self.gathered)
        if tenant == self.tenant:
            yield from (each for each in self.gathered.values() if type is None or type in each.types)

    def ids(self, tenant: str) -> Iterator[str]:
        """The ids of all entities."""
        return (document.id for document in self.scan(tenant))

    def ids_of_type(self, tenant: str, type: str) -> Iterator[str]:
        """The ids of all entities of a type."""
        return (document.id for document in self.scan(tenant, type))

    def count(self, tenant: str, type: str | None = None) -> int:
        """How many entities there are, of one type or in all; it walks through them."""
        return sum(1 for _ in self.scan(tenant, type))

    def found(self, query: EntityQuery) -> list[Document]:
        """The gathered entities that a question asks for."""
        return [each for each in self.gathered.values() if matches(each, query, look_up=self._look_up)]

    def known_here(self, query: EntityQuery) -> int:
        """How many gathered entities the base alone would find too: they must not count twice."""
        if self.alone:
            return 0
        documents = (self.base.get(self.tenant, id) for id in self.gathered)
        return sum(1 for each in documents if each is not None and matches(each, query, look_up=self._look_up))

    def _look_up(self, id: str) -> Document | None:
        return self.get(self.tenant, id)


async def page_of(
    view: View, query: EntityQuery, find: Find, *, offset: int, limit: int
) -> tuple[tuple[Document, ...], int]:
    """A page of what a question finds in a view, and how many it finds in all. `find` looks in the base."""
    gathered = view.found(query)
    if view.alone:
        return tuple(gathered[offset : offset + limit]), len(gathered)
    # Of the base as many as the page could need: some of them are among the gathered and do not count here.
    wanted = offset + limit + len(view.gathered)
    of_base = await find(view.base, view.tenant, query, offset=0, limit=wanted, count=True)
    only_here = [each for each in of_base.documents if each.id not in view.gathered]
    here = of_base.total - view.known_here(query)
    page = only_here[offset : offset + limit]
    begin = max(0, offset - here)
    page += gathered[begin : begin + limit - len(page)]
    return tuple(page), here + len(gathered)
