# SPDX-License-Identifier: Apache-2.0
"""The route by which personal fields of a case are seen in clear, with a reason that stays."""

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, post
from litestar.datastructures import State
from litestar.params import FromPath, JSONBody

from citybrain.kernel.cases.rights import REVEAL
from citybrain.kernel.records import Json
from citybrain.kernel.store import Store


class Reveal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which personal fields somebody needs to see, and why."""

    fields: tuple[str, ...]
    reason: str


@post("/api/cases/{id:int}/reveal", opt={"permission": REVEAL}, status_code=200)
async def reveal(
    state: State, request: Request[Any, Any, Any], id: FromPath[int], data: JSONBody[Reveal]
) -> Mapping[str, Mapping[str, Json]]:
    """Personal fields of a case in clear; who looked, at what and why is kept for the person and the audit."""
    store: Store = state.store
    found = await store.casework.personal.reveal(store.people, request.state.actor, id, data.fields, data.reason)
    return {"values": found}


ROUTES = (reveal,)
