# SPDX-License-Identifier: Apache-2.0
"""Routes by which lists are taken along: they leave piece by piece, masked, and nothing in them is a formula."""

from collections.abc import AsyncIterator
from typing import Any, Literal

import msgspec
from litestar import Request, post
from litestar.datastructures import State
from litestar.params import JSONBody
from litestar.response import Stream

from citybrain.kernel.cases.export import COLUMNS_AT_MOST, Done, Marked
from citybrain.kernel.cases.forms import fields_of
from citybrain.kernel.cases.query import CaseQuery, Order
from citybrain.kernel.cases.rights import EXPORT, VIEW
from citybrain.kernel.cases.tables import Form, gathered
from citybrain.kernel.clock import utc_now
from citybrain.kernel.records import Facts
from citybrain.kernel.store import Store
from citybrain.serve.case_query import read_given

AnyRequest = Request[Any, Any, Any]
# What is taken along when nothing is said: this, and the form of the type if it is about one alone.
USUAL = ("number", "type", "state", "title", "department", "assignee", "category", "created_at", "due_at", "closed_at")
# What is squeezed is held back, and a sheet is squeezed already.
AS_IT_COMES = {"as_it_is": True}


class Wish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question as it stands in an address, and how its answer is taken along; with a reason in clear.

    With `ids` these are taken along, and of the question only the type is looked at: whose form gives columns.
    """

    query: Facts = {}
    ids: tuple[int, ...] | None = None
    columns: tuple[str, ...] = ()
    format: Form = Form.CSV
    lang: Literal["zh", "en"] = "zh"
    reveal_reason: str = ""


class Results(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What became of many, as it was told."""

    results: tuple[Done, ...]
    format: Form = Form.CSV
    lang: Literal["zh", "en"] = "zh"


def file_of(pieces: AsyncIterator[bytes], form: Form, name: str) -> Stream:
    """A table on its way."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
    return Stream(gathered(pieces), media_type=form.media_type.partition(";")[0], headers=headers)


@post("/api/cases/export", opt={"permission": EXPORT, **AS_IT_COMES}, status_code=200)
async def export(state: State, request: AnyRequest, data: JSONBody[Wish]) -> Stream:
    """Marked cases, or those of a question, as a table; closed ones too unless the question says otherwise."""
    store: Store = state.store
    query = read_given({"order": Order.NEWEST, **data.query})
    columns = data.columns or await _usual(store, query)
    wanted = query if data.ids is None else Marked(ids=data.ids, types=query.types)
    pieces = await store.casework.export.write(
        request.state.actor, wanted, columns, form=data.format, lang=data.lang, reason=data.reveal_reason
    )
    return file_of(pieces, data.format, "cases")


async def _usual(store: Store, query: CaseQuery) -> tuple[str, ...]:
    if len(query.types) != 1:
        return USUAL
    type = await store.cases.types.current(query.types[0], utc_now())
    return (*USUAL, *(f"fields.{name}" for name in fields_of(type.form)))[:COLUMNS_AT_MOST]


@post("/api/cases/bulk/table", opt={"permission": VIEW, **AS_IT_COMES}, status_code=200)
async def results(state: State, data: JSONBody[Results]) -> Stream:
    """What became of an act on many cases, as a table."""
    store: Store = state.store
    return file_of(store.casework.export.results(data.results, data.format, data.lang), data.format, "results")


ROUTES = (export, results)
