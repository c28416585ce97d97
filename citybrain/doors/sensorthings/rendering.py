# SPDX-License-Identifier: Apache-2.0
"""Entities as JSON: properties, links, and related entities where they were asked for (OGC 18-088 clause 8.1.1)."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import parse_qsl, quote

import msgspec

from citybrain.doors.sensorthings.finding import Finder, Within
from citybrain.doors.sensorthings.model import SCHEMAS, Kind
from citybrain.doors.sensorthings.nodes import Node
from citybrain.doors.sensorthings.options import Options
from citybrain.doors.sensorthings.paging import Page
from citybrain.kernel.records import Json

Shown = dict[str, Json]
PLAIN = "$()/:,'=;.-"
COLUMNS: tuple[str, ...] = ("@iot.id", "phenomenonTime", "resultTime", "result")
"""The components of a data array, in this order, unless others are selected."""


class Rendering(msgspec.Struct, frozen=True, kw_only=True):
    """How one answer is written: `root` is the service root, `now` the time of the request."""

    finder: Finder
    root: str
    now: datetime

    def link(self, node: Node) -> str:
        """The self link of an entity."""
        return f"{self.root}/{SCHEMAS[node.kind].set_name}({node.id})"

    async def entities(self, nodes: Sequence[Node], options: Options) -> list[Shown]:
        """Entities of one kind, with what is expanded of them."""
        shown = [self._plain(node, options) for node in nodes]
        for name, deeper in options.expand.items():
            await self._expand(nodes, shown, name, deeper)
        return shown

    async def collection(self, page: Page, options: Options, next_link: str | None) -> Shown:
        """A page as an object of count, next link and values."""
        body: Shown = {}
        if page.total is not None:
            body["@iot.count"] = page.total
        if next_link is not None:
            body["@iot.nextLink"] = next_link
        if options.references:
            body["value"] = [{"@iot.selfLink": self.link(node)} for node in page.nodes]
        elif options.data_array:
            body["value"] = self._arrays(page.nodes, options)
        else:
            body["value"] = await self.entities(page.nodes, options)
        return body

    def _plain(self, node: Node, options: Options) -> Shown:
        shown: Shown = {}
        link = self.link(node)
        if options.wants("@iot.id"):
            shown["@iot.id"] = node.id
        if options.wants("@iot.selfLink"):
            shown["@iot.selfLink"] = link
        if options.select is None:
            shown.update(node.fields)
        else:
            shown.update({name: value for name, value in node.fields.items() if name in options.select})
        for name in SCHEMAS[node.kind].relations:
            if options.wants(name):
                shown[f"{name}@iot.navigationLink"] = f"{link}/{name}"
        return shown

    async def _expand(self, nodes: Sequence[Node], shown: Sequence[Shown], name: str, options: Options) -> None:
        """Show related entities of all of a page; what they expand in turn is found for all of them together."""
        if not nodes:
            return
        relation = SCHEMAS[nodes[0].kind].relations[name]
        pages = await self._pages(nodes, name, options)
        every = [each for page in pages for each in page.nodes]
        rendered = iter(await self.entities(every, options))
        for node, parent, page in zip(nodes, shown, pages, strict=True):
            children = [next(rendered) for _ in page.nodes]
            parent.pop(f"{name}@iot.navigationLink", None) if options.select else None
            if page.total is not None:
                parent[f"{name}@iot.count"] = page.total
            if not relation.many:
                parent[name] = children[0] if children else None
                continue
            parent[name] = children
            if page.has_more:
                parent[f"{name}@iot.nextLink"] = self._inner_link(f"{self.link(node)}/{name}", options)

    async def _pages(self, nodes: Sequence[Node], name: str, options: Options) -> list[Page]:
        kind = SCHEMAS[nodes[0].kind].relations[name].to
        if kind is Kind.OBSERVATION and nodes[0].kind is Kind.DATASTREAM:
            found = await self.finder.latest([node.id for node in nodes], options)
            if found is not None:
                limit = options.limit
                return [Page(nodes=found[node.id][:limit], has_more=len(found[node.id]) > limit) for node in nodes]
        pages = []
        for asked, node in enumerate(nodes):
            if asked % 100 == 99:
                await asyncio.sleep(0)
            if not SCHEMAS[node.kind].relations[name].many:
                related = list(self.finder.nodes.related(node, name))[:1]
                pages.append(Page(nodes=related))
            else:
                within = Within(kind=kind, parent=node, relation=name)
                pages.append(await self.finder.page(within, options, now=self.now))
        return pages

    def _inner_link(self, path: str, options: Options) -> str:
        """The rest of an expanded relation: the simple options travel along."""
        return f"{path}?$top={options.limit}&$skip={options.skip + options.limit}"

    def _arrays(self, nodes: Sequence[Node], options: Options) -> list[Json]:
        """Observations as arrays, one for each Datastream (clause 12)."""
        columns = COLUMNS
        if options.select is not None:
            every = ("@iot.id", *SCHEMAS[Kind.OBSERVATION].properties)
            columns = tuple(name for name in every if name in options.select)
        by_stream: dict[int, list[Json]] = {}
        for node in nodes:
            row = [node.id if name == "@iot.id" else node.fields.get(name) for name in columns]
            by_stream.setdefault(self.finder.nodes.stream_of(node), []).append(row)
        named = ["id" if name == "@iot.id" else name for name in columns]
        return [
            {
                "Datastream@iot.navigationLink": f"{self.root}/Datastreams({id})",
                "components": named,
                "dataArray@iot.count": len(rows),
                "dataArray": rows,
            }
            for id, rows in by_stream.items()
        ]


def next_link(address: str, raw_query: str, page: Page, options: Options) -> str | None:
    """Where the next page is; None when there is none."""
    if not page.has_more or not page.nodes:
        return None
    kept = [
        (name, value)
        for name, value in parse_qsl(raw_query, keep_blank_values=True)
        if name not in ("$skip", "$skiptoken")
    ]
    further = ("$skiptoken", page.after) if page.after else ("$skip", str(options.skip + len(page.nodes)))
    query = "&".join(f"{quote(name, safe='$')}={quote(value, safe=PLAIN)}" for name, value in [*kept, further])
    return f"{address}?{query}"


def property_body(node: Node, names: Sequence[str]) -> tuple[bool, Json]:
    """A property by its path, and whether the entity may have it: what is not set is null."""
    first, *rest = names
    if first in ("@iot.id", "id"):
        return not rest, node.id
    if first not in SCHEMAS[node.kind].properties:
        return False, None
    value: Json = node.fields.get(first)
    for name in rest:
        if not isinstance(value, Mapping) or name not in value:
            return False, None
        value = value[name]
    return True, value
