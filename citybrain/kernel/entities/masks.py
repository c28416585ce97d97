# SPDX-License-Identifier: Apache-2.0
"""Which entities a question is true of, as columns tell: surely, or perhaps, so that they must be asked themselves."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from citybrain.kernel.entities.columns import PIECE, Column, Columns, Rows, State
from citybrain.kernel.entities.comparing import holds
from citybrain.kernel.entities.expressions import (
    AllOf,
    AnyOf,
    Comparison,
    Exists,
    Expression,
    Kind,
    Operator,
    Path,
    Pattern,
    Range,
    Values,
)
from citybrain.kernel.entities.targets import As, Target

Bools = NDArray[np.bool_]
Numbers = NDArray[np.float64]


class Answer(NamedTuple):
    """For each row: it is certainly so; it may be so. Where neither stands it is certainly not so."""

    certain: Bools
    perhaps: Bools


class Mask(Protocol):
    """A condition that can be asked of many rows at once."""

    async def prepare(self, rows: Rows) -> None:
        """Fill what the answer for these rows needs; without it more rows are only perhaps so."""

    def answer(self, rows: Rows) -> Answer:
        """The answer for these rows as they are now."""


def mask_of(columns: Columns, tenant: str, expression: Expression) -> Mask:
    """The condition of an expression."""
    if isinstance(expression, AllOf):
        return Every([mask_of(columns, tenant, term) for term in expression.terms])
    if isinstance(expression, AnyOf):
        return Either([mask_of(columns, tenant, term) for term in expression.terms])
    if not columns.may_hold(tenant, expression.path):
        return Unknown()
    column = columns.of_path(tenant, expression.path)
    if isinstance(expression, Exists):
        return _Exists(columns, tenant, column, wanted=expression.wanted)
    return _Compares(columns, tenant, column, expression)


def has_any(columns: Columns, tenant: str, names: Sequence[str]) -> Mask:
    """At least one of these attributes is there."""
    return Either([mask_of(columns, tenant, Exists(path=Path(names=(name,)))) for name in names])


class Every:
    """All of these conditions."""

    def __init__(self, parts: Sequence[Mask]) -> None:
        self.parts = parts

    async def prepare(self, rows: Rows) -> None:
        """Each of them."""
        for part in self.parts:
            await part.prepare(rows)

    def answer(self, rows: Rows) -> Answer:
        """Certain where all are, perhaps where none says no."""
        answers = [part.answer(rows) for part in self.parts]
        certain = np.logical_and.reduce([each.certain for each in answers])
        possible = np.logical_and.reduce([each.certain | each.perhaps for each in answers])
        return Answer(certain, possible & ~certain)


class Either(Every):
    """Any of these conditions."""

    def answer(self, rows: Rows) -> Answer:
        """Certain where one is, perhaps where one may be."""
        answers = [part.answer(rows) for part in self.parts]
        certain = np.logical_or.reduce([each.certain for each in answers])
        possible = np.logical_or.reduce([each.perhaps for each in answers])
        return Answer(certain, possible & ~certain)


class Unknown:
    """What no column holds."""

    async def prepare(self, rows: Rows) -> None:
        """Nothing would help."""

    def answer(self, rows: Rows) -> Answer:
        """Perhaps, everywhere."""
        many = rows.stop - rows.start if isinstance(rows, slice) else len(rows)
        return Answer(np.zeros(many, np.bool_), np.ones(many, np.bool_))


class _Exists:
    def __init__(self, columns: Columns, tenant: str, column: Column, *, wanted: bool) -> None:
        self.columns, self.tenant, self.column, self.wanted = columns, tenant, column, wanted

    async def prepare(self, rows: Rows) -> None:
        await self.columns.fill(self.tenant, self.column, rows)

    def answer(self, rows: Rows) -> Answer:
        self.column.grow(len(self.columns.documents.shelf(self.tenant).ids))
        states = self.column.states[rows]
        unknown = states == State.EMPTY
        there = (states != State.ABSENT) & ~unknown
        return Answer(there if self.wanted else ~there & ~unknown, unknown)


class _Compares:
    """Numbers and moments are compared as arrays, words by a table with one answer for each word that occurs."""

    def __init__(self, columns: Columns, tenant: str, column: Column, comparison: Comparison) -> None:
        self.columns, self.tenant, self.column = columns, tenant, column
        self.numeric = {state: _numeric(comparison, kind) for state, kind in _KIND_OF.items()}
        self.words = {state: _Table(column, how, comparison) for state, how in _HOW_OF.items()}
        truths = [holds(Target(As.VALUE, each), comparison.operator, comparison.operand) for each in (False, True)]
        self.truths = np.array(truths, np.bool_)
        self.compared = (*self.numeric, *self.words, State.BOOLEAN)

    async def prepare(self, rows: Rows) -> None:
        await self.columns.fill(self.tenant, self.column, rows)
        for table in self.words.values():
            await table.prepare()

    def answer(self, rows: Rows) -> Answer:
        self.column.grow(len(self.columns.documents.shelf(self.tenant).ids))
        states = self.column.states[rows]
        certain = np.zeros(len(states), np.bool_)
        perhaps = (states == State.EMPTY) | (states == State.OTHER)
        for state in self.compared:
            there = states == state
            if not there.any():
                continue
            answer = self._of(state, rows)
            if answer is None:
                perhaps |= there
            else:
                certain |= there & answer
        return Answer(certain, perhaps)

    def _of(self, state: State, rows: Rows) -> Bools | None:
        """The answer for these rows if all were in this state; None if that is left to the entities."""
        if state in self.words:
            return self.words[state].answers(self.column.codes[rows])
        numbers = self.column.numbers[rows]
        if state is State.BOOLEAN:
            truths: Bools = self.truths[(numbers == 1.0).astype(np.intp)]
            return truths
        decide = self.numeric[state]
        return None if decide is None else decide(numbers)


class _Table:
    """The answer for each word of a column, found once; for plain equality only the words asked for are looked up."""

    def __init__(self, column: Column, how: As, comparison: Comparison) -> None:
        self.column, self.how, self.comparison = column, how, comparison
        self.table: Bools = np.zeros(0, np.bool_)
        operand = comparison.operand
        self.wanted: list[str] | None = None
        if (
            isinstance(operand, Values)
            and comparison.operator in (Operator.EQUAL, Operator.UNEQUAL)
            and _plain(operand)
        ):
            self.wanted = [each.vocab if how is As.WORDS else str(each.value) for each in operand.any_of]

    async def prepare(self) -> None:
        while self.wanted is None and len(self.table) < len(self.column.words):
            self._extend(PIECE)
            await asyncio.sleep(0)

    def answers(self, codes: NDArray[np.int32]) -> Bools:
        if self.wanted is None:
            self._extend(len(self.column.words))
            return self.table[codes]
        is_unequal = self.comparison.operator is Operator.UNEQUAL
        known = [self.column.code_of[word] for word in self.wanted if word in self.column.code_of]
        if len(known) == 1:
            same: Bools = codes == known[0]
            return ~same if is_unequal else same
        return np.isin(codes, np.array(known, np.int32), invert=is_unequal)

    def _extend(self, at_most: int) -> None:
        words = self.column.words[len(self.table) : len(self.table) + at_most]
        operator, operand = self.comparison.operator, self.comparison.operand
        more = [isinstance(word, str) and holds(Target(self.how, word), operator, operand) for word in words]
        self.table = np.concatenate([self.table, np.array(more, np.bool_)])


def _numeric(comparison: Comparison, kind: Kind) -> Callable[[Numbers], Bools] | None:
    """How numbers of a kind compare; None where that is left to the entity itself."""
    operator, operand = comparison.operator, comparison.operand
    if isinstance(operand, Pattern):
        return _never
    literals = (operand.lowest, operand.highest) if isinstance(operand, Range) else operand.any_of
    if any(literal.kind is not kind for literal in literals):
        # A number is unequal to what is no number, and in no order to it.
        if kind is Kind.NUMBER and all(literal.kind is not kind for literal in literals):
            return _always if operator is Operator.UNEQUAL else _never
        return None
    keys = np.array([float(literal.key) for literal in literals])
    if isinstance(operand, Range):
        is_unequal = operator is Operator.UNEQUAL
        return lambda numbers: ((numbers >= keys[0]) & (numbers <= keys[1])) ^ is_unequal
    compare = _UFUNCS[operator]
    if len(keys) == 1:
        return lambda numbers: compare(numbers, keys[0])
    return lambda numbers: np.isin(numbers, keys, invert=operator is Operator.UNEQUAL)


def _never(numbers: Numbers) -> Bools:
    return np.zeros(len(numbers), np.bool_)


def _always(numbers: Numbers) -> Bools:
    return np.ones(len(numbers), np.bool_)


def _plain(operand: Values) -> bool:
    return all(literal.kind in (Kind.TEXT, Kind.WORD) for literal in operand.any_of)


_KIND_OF: Mapping[State, Kind] = {State.NUMBER: Kind.NUMBER, State.MOMENT: Kind.DATE_TIME}
_HOW_OF: Mapping[State, As] = {State.TEXT: As.VALUE, State.OBJECT: As.OBJECT, State.WORDS: As.WORDS}
_UFUNCS: Mapping[Operator, Any] = {
    Operator.EQUAL: np.equal,
    Operator.UNEQUAL: np.not_equal,
    Operator.GREATER: np.greater,
    Operator.GREATER_EQUAL: np.greater_equal,
    Operator.LESS: np.less,
    Operator.LESS_EQUAL: np.less_equal,
}
