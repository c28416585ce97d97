# SPDX-License-Identifier: Apache-2.0
"""Finds entities: those in memory by their ids and properties, Observations in the history.

What it costs: a page without order, by id or of one Datastream by time is read by keys, the same however many there
are. Other conditions and orders look at all that indexes leave.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from itertools import chain, islice

import msgspec

from citybrain.doors.sensorthings import plan as planning
from citybrain.doors.sensorthings.evaluate import Evaluation
from citybrain.doors.sensorthings.expression import Among, Binary, Expression, Not, Path, paths
from citybrain.doors.sensorthings.links import MASK
from citybrain.doors.sensorthings.model import RESULT, SCHEMAS, Kind
from citybrain.doors.sensorthings.narrowing import ids_by_text
from citybrain.doors.sensorthings.nodes import Node, Nodes
from citybrain.doors.sensorthings.options import Options, asks_observations, parts_of
from citybrain.doors.sensorthings.paging import Page, orders, smallest
from citybrain.doors.sensorthings.plan import Plan, plan
from citybrain.doors.sensorthings.refusals import unusable
from citybrain.kernel.entities.times import from_us, to_us
from citybrain.kernel.pool.sensed import Bounds, Mark, Sensed, SensedHistory, begin, mark_of

TURN = 200
OBSERVATIONS = "Observations"
BLOCK = 2_000
MERGED = 2_000
"""So many Datastreams are merged in order of time; more are read in order of numbers."""


class Within(msgspec.Struct, frozen=True, kw_only=True):
    """Among what is looked: the whole set of a kind, or what an entity is related to."""

    kind: Kind
    parent: Node | None = None
    relation: str = ""


class Finder:
    """Asks memory and history."""

    def __init__(self, nodes: Nodes, history: SensedHistory) -> None:
        self.nodes = nodes
        self.history = history

    async def page(self, within: Within, options: Options, *, now: datetime) -> Page:
        """One page of what is asked for."""
        if within.kind is Kind.OBSERVATION:
            return await self._observations(within, options, now)
        return await self._entities(within, options, now)

    async def all(self, within: Within, expressions: Sequence[Expression], *, now: datetime) -> AsyncIterator[Node]:
        """Every entity in memory of which all is true, in order of ids."""
        tests = [Evaluation(await self._settled(within.kind, each, now), now) for each in expressions]
        for asked, id in enumerate(await self._narrowed(within, expressions)):
            if asked % TURN == TURN - 1:
                await asyncio.sleep(0)
            node = self.nodes.find(within.kind, id)
            if node is not None and all(each.holds(node) for each in tests):
                yield node

    async def latest(self, streams: Sequence[int], options: Options) -> dict[int, list[Node]] | None:
        """The Observations of many Datastreams at once, one more than fit; None if they must be asked one by one."""
        backward = planning.by_time(options) if options.order else False
        if backward is None or options.filter is not None or options.count or options.skip or options.limit > BLOCK:
            return None
        series = self.nodes.series(streams)
        found: dict[int, list[Node]] = {id: [] for id in streams}
        rows = await self.history.of_each(series, Plan().bounds, limit=options.limit + 1, backward=backward)
        for row in rows:
            node = self.nodes.observation(row)
            if node is not None:
                found.setdefault(self.nodes.stream_of(node), []).append(node)
        return found

    async def _settled(self, kind: Kind, expression: Expression, now: datetime) -> Expression:
        """An expression in which conditions on Observations are answered: by the ids of what has such Observations."""
        if not asks_observations(expression, kind):
            return expression
        if isinstance(expression, Not):
            return Not(await self._settled(kind, expression.of, now))
        if isinstance(expression, Binary) and expression.operator in ("and", "or"):
            left = await self._settled(kind, expression.left, now)
            return Binary(expression.operator, left, await self._settled(kind, expression.right, now))
        begins = {
            path.names[: path.names.index(OBSERVATIONS)] for path in paths(expression) if OBSERVATIONS in path.names
        }
        if len(begins) > 1 or not all(OBSERVATIONS in path.names for path in paths(expression)):
            raise unusable("observations_of_others")
        before = begins.pop()
        condition = Options(filter=planning.rebased(expression, len(before) + 1))
        rows = await self.rows(Within(kind=Kind.OBSERVATION), plan(condition), condition, now)
        tests = [Evaluation(each, now) for each in plan(condition).rest]
        for name in before:
            kind = SCHEMAS[kind].relations[name].to
        found: set[int] = set()
        async for node in rows.all(tests):
            is_stream = kind is Kind.DATASTREAM
            found.update([self.nodes.stream_of(node)] if is_stream else self.nodes.related_ids(node, kind.value))
        return Among(Path((*before, "@iot.id")), frozenset(found))

    async def _narrowed(self, within: Within, parts: Sequence[Expression]) -> Iterable[int]:
        """The ids that come into question, in order, where columns can tell also by texts."""
        kind, links = within.kind, self.nodes.links
        if within.parent is not None or self._named(kind, parts) is not None:
            return self._candidates(within, parts, after=-1)
        numbers = await ids_by_text(self.nodes.documents, kind, parts)
        if numbers is None:
            return self._candidates(within, parts, after=-1)
        # What others wrote has its texts elsewhere: of it everything is looked at.
        others = links.others() if kind is Kind.THING else ()
        return chain(sorted({*numbers, *others}), links.after(kind, MASK))

    def _candidates(self, within: Within, parts: Iterable[Expression], *, after: int) -> Iterable[int]:
        """The ids that come into question, in order: a condition on an id leaves few."""
        named = self._named(within.kind, parts)
        if within.parent is not None:
            own = self.nodes.related_ids(within.parent, within.relation)
            return (id for id in own if id > after and (named is None or id in named))
        if named is not None:
            return (id for id in sorted(named) if id > after and self.nodes.links.has(within.kind, id))
        return self.nodes.links.after(within.kind, after)

    def _named(self, kind: Kind, parts: Iterable[Expression]) -> set[int] | None:
        """The ids that a condition on an id, or on the id of a related entity, leaves; None for no such condition."""
        left: set[int] | None = None
        for part in parts:
            own = planning.id_of(part, ())
            found = None if own is None else {own}
            for name, relation in SCHEMAS[kind].relations.items():
                known = planning.id_of(part, (name,))
                if known is not None and relation.to is not Kind.OBSERVATION:
                    related = self.nodes.find(relation.to, known)
                    found = set(self.nodes.related_ids(related, _way_back(kind, name))) if related else set()
            if found is not None:
                left = found if left is None else left & found
        return left

    async def _entities(self, within: Within, options: Options, now: datetime) -> Page:
        parts = parts_of(options.filter)
        if not parts and not options.order:
            return self._plain(within, options)
        found = self.all(within, parts, now=now)
        wanted = options.skip + options.limit + 1
        if options.order:
            nodes, seen = await smallest(found, wanted, orders(options.order, now))
            return _cut(nodes[options.skip :], options, seen if options.count else None)
        chosen: list[Node] = []
        after = int(options.after) if options.after.isdigit() else -1
        seen = 0
        async for node in found:
            seen += 1
            if node.id > after:
                chosen.append(node)
            if len(chosen) == wanted and not options.count:
                break
        return _by_id(chosen[options.skip : wanted], options, seen if options.count else None)

    def _plain(self, within: Within, options: Options) -> Page:
        """A page by ids alone, with a count that never scans."""
        after = int(options.after) if options.after.isdigit() else -1
        ids = self._candidates(within, (), after=after)
        found = (self.nodes.find(within.kind, id) for id in islice(ids, options.skip, None))
        chosen = list(islice((node for node in found if node is not None), options.limit + 1))
        total = None
        if options.count:
            own = within.parent
            count = self.nodes.links.count(within.kind)
            total = count if own is None else len(self.nodes.related_ids(own, within.relation))
        return _by_id(chosen, options, total)

    async def _observations(self, within: Within, options: Options, now: datetime) -> Page:
        made = plan(options)
        rows = await self.rows(within, made, options, now)
        tests = [Evaluation(each, now) for each in made.rest]
        if rows.order is not None:
            found, seen = await smallest(rows.all(tests), options.skip + options.limit + 1, orders(options.order, now))
            return _cut(found[options.skip :], options, seen if options.count else None)
        chosen: list[Node] = []
        passed = 0
        async for node in rows.all(tests, mark=options.after, fetch=options.skip + options.limit + 1):
            passed += 1
            if passed > options.skip:
                chosen.append(node)
            if len(chosen) > options.limit:
                break
        total = await rows.count(tests) if options.count else None
        has_more = len(chosen) > options.limit
        shown = chosen[: options.limit]
        after = _mark_text(shown[-1]) if has_more and shown else ""
        return Page(nodes=shown, total=total, has_more=has_more, after=after)

    async def rows(self, within: Within, made: Plan, options: Options, now: datetime) -> "Rows":
        """How the rows of Observations are read for a plan."""
        streams, part = await self._streams(within, made, now)
        bounds = made.bounds if part is None else msgspec.structs.replace(made.bounds, part=part)
        time, number = planning.by_time(options), planning.by_number(options)
        few = streams is not None and len(streams) <= MERGED
        merges = few and (not options.order or time is not None)
        counts = bool(options.order) and number is None and not (merges and time is not None)
        return Rows(
            finder=self,
            bounds=bounds,
            streams=None if streams is None else dict.fromkeys(streams),
            instances=made.instances,
            merges=merges,
            backward=bool(time if merges else number),
            order=True if counts else None,
            feature=within.parent.id
            if within.relation == "Observations" and part is not None and within.parent
            else None,
        )

    async def _streams(self, within: Within, made: Plan, now: datetime) -> tuple[list[int] | None, bytes | None]:
        """The Datastreams that come into question (None: all), and what must stand in the detail of a row."""
        left: set[int] | None = None
        part: bytes | None = None
        parent = within.parent
        if parent is not None and parent.kind is Kind.DATASTREAM:
            left = {parent.id}
        features = list(made.features)
        if parent is not None and parent.kind is Kind.FEATURE_OF_INTEREST:
            features.append(parent.id)
        for id in features:
            node = self.nodes.find(Kind.FEATURE_OF_INTEREST, id)
            some = set(self.nodes.streams_with(node)) if node else set()
            left = some if left is None else left & some
            if node is not None and node.document is not None and self.nodes.links.native(node.kind, id):
                part = f'"{node.document.id}"'.encode()
        for id in made.streams:
            left = {id} & left if left is not None else {id}
        if made.of_streams:
            base = Within(kind=Kind.DATASTREAM)
            met = {node.id async for node in self.all(base, made.of_streams, now=now)}
            left = met if left is None else left & met
        if left is None:
            return None, part
        return [id for id in sorted(left) if self.nodes.links.has(Kind.DATASTREAM, id)], part


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of the history in their order, as Observations."""

    finder: Finder
    bounds: Bounds
    streams: dict[int, None] | None
    instances: tuple[int, ...]
    merges: bool
    backward: bool
    order: bool | None
    feature: int | None

    async def all(self, tests: Sequence[Evaluation], *, mark: str = "", fetch: int = BLOCK) -> AsyncIterator[Node]:
        """Every Observation of which all is true. `fetch` is how many are wanted, as far as that is known."""
        at = _read_mark(mark, backward=self.backward)
        size = min(max(fetch, 1), BLOCK) if not tests else BLOCK
        while True:
            rows = await self._block(at, size)
            for asked, row in enumerate(rows):
                if asked % TURN == TURN - 1:
                    await asyncio.sleep(0)
                node = self.finder.nodes.observation(row)
                if node is not None and self._fits(node) and all(each.holds(node) for each in tests):
                    yield node
            if len(rows) < size or self.instances:
                return
            at, size = mark_of(rows[-1]), BLOCK

    async def count(self, tests: Sequence[Evaluation]) -> int:
        """How many there are: the database counts, unless conditions remain that it cannot decide."""
        nodes = self.finder.nodes
        if tests or self.instances or self.feature is not None:
            return sum([1 async for _ in self.all(tests)])
        if self.streams is not None:
            return await self.finder.history.count(nodes.series([*self.streams]), self.bounds)
        result = nodes.documents.names.known(RESULT)
        own = [] if result is None else [result]
        others = [id for each in nodes.links.observed() if each != result for id in nodes.links.streams(each)]
        total = await self.finder.history.count_all(own, self.bounds) if own else 0
        return total + await self.finder.history.count(nodes.series(others), self.bounds)

    def _fits(self, node: Node) -> bool:
        if self.feature is not None and self.feature not in self.finder.nodes.related_ids(node, "FeatureOfInterest"):
            return False
        return (
            self.streams is None
            or (self.merges and not self.instances)
            or self.finder.nodes.stream_of(node) in self.streams
        )

    async def _block(self, at: Mark, size: int) -> list[Sensed]:
        nodes, history = self.finder.nodes, self.finder.history
        attributes = nodes.links.observed()
        if self.instances:
            found = [await history.one(attributes, each) for each in self.instances[:1]]
            return [each for each in found if each is not None and len(set(self.instances)) == 1]
        if self.streams is not None and not self.streams:
            return []
        if self.merges:
            series = nodes.series([*(self.streams or ())])
            return await history.by_time(series, self.bounds, at, limit=size, backward=self.backward)
        entities = None if self.streams is None else sorted({*nodes.series([*self.streams]).entities})
        return await history.by_number(
            attributes, self.bounds, at, entities=entities, limit=size, backward=self.backward
        )


def _way_back(kind: Kind, name: str) -> str:
    """The relation of the other kind that leads back."""
    relation = SCHEMAS[kind].relations[name]
    for other, each in SCHEMAS[relation.to].relations.items():
        if each.to is kind and (each.back == name or relation.back == other):
            return other
    raise unusable("relation_unknown", name=name, kind=kind)


def _feature(within: Within) -> int | None:
    parent = within.parent
    return parent.id if parent is not None and parent.kind is Kind.FEATURE_OF_INTEREST else None


def _by_id(nodes: Sequence[Node], options: Options, total: int | None) -> Page:
    shown = nodes[: options.limit]
    has_more = len(nodes) > options.limit
    return Page(nodes=shown, total=total, has_more=has_more, after=str(shown[-1].id) if has_more and shown else "")


def _cut(nodes: Sequence[Node], options: Options, total: int | None) -> Page:
    return Page(nodes=nodes[: options.limit], total=total, has_more=len(nodes) > options.limit)


def _mark_text(node: Node) -> str:
    return f"{to_us(node.sensed.observed_at)}.{node.sensed.instance}" if node.sensed else ""


def _read_mark(text: str, *, backward: bool) -> Mark:
    if not text:
        return begin(backward=backward)
    us, _, instance = text.partition(".")
    try:
        return Mark(at=from_us(int(us)), instance=int(instance))
    except (ValueError, OverflowError):
        raise unusable("option_unusable", name="$skiptoken", value=text) from None
