# SPDX-License-Identifier: Apache-2.0
"""Route for the field: who can be sent and what is changed on streets, now or at a time that is replayed."""

from datetime import datetime

from litestar import get
from litestar.datastructures import State
from litestar.params import FromQuery

from citybrain.apps.operations.api.playbooks import VIEW, Asking
from citybrain.apps.operations.service.field import FieldView
from citybrain.apps.operations.service.field import field as looked_at


@get("/api/operations/field", opt={"permission": VIEW})
async def field(state: State, request: Asking, at: FromQuery[datetime | None] = None) -> FieldView:
    """Teams with place and state, and the orders that stand on streets; at a city time where one is named."""
    return await looked_at(state.store, request.state.actor, at)


ROUTES = (field,)
