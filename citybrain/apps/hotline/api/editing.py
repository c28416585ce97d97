# SPDX-License-Identifier: Apache-2.0
"""Routes for who keeps the hotline: categories, routing table with its dry run, the model's card."""

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Request, get, post, put
from litestar.datastructures import State
from litestar.params import JSONBody

from citybrain.apps.hotline.api.desk import hotline_of
from citybrain.apps.hotline.choice import Diff, Rule
from citybrain.apps.hotline.detect.drift import Drift, drift
from citybrain.apps.hotline.model import Category
from citybrain.apps.hotline.service import desk
from citybrain.apps.hotline.service.models import read_card
from citybrain.kernel.clock import utc_now
from citybrain.kernel.records import Json

Asking = Request[Any, Any, Any]


class Categories(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tree; `version` is the one in force, or when it is put, the one it was made from."""

    version: int
    categories: list[Category]


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The routing table; `version` as of categories."""

    version: int
    rules: list[Rule]


@get("/api/hotline/categories", opt={"permission": "hotline.public"})
async def categories(state: State) -> Categories:
    """The tree in force."""
    tree = hotline_of(state).tree
    return Categories(tree.version, list(tree.categories.values()))


@put("/api/hotline/categories", opt={"permission": "hotline.edit"})
async def put_categories(state: State, request: Asking, data: JSONBody[Categories]) -> Categories:
    """Put a new tree in force; refused when somebody else did meanwhile."""
    by = request.state.actor.account
    tree = await hotline_of(state).set_categories(data.categories, version=data.version, by=by, now=utc_now())
    return Categories(tree.version, list(tree.categories.values()))


@get("/api/hotline/rules", opt={"permission": "hotline.desk"})
async def rules(state: State) -> Rules:
    """The routing table in force."""
    hotline = hotline_of(state)
    return Rules(hotline.rules_version, list(hotline.rules))


@put("/api/hotline/rules", opt={"permission": "hotline.edit"})
async def put_rules(state: State, request: Asking, data: JSONBody[Rules]) -> Rules:
    """Put a new routing table in force."""
    hotline = hotline_of(state)
    await hotline.set_rules(data.rules, version=data.version, by=request.state.actor.account, now=utc_now())
    return Rules(hotline.rules_version, list(hotline.rules))


@post("/api/hotline/rules/dry-run", opt={"permission": "hotline.edit"}, status_code=200)
async def dry_run(state: State, request: Asking, data: JSONBody[Rules]) -> Diff:
    """What would have gone elsewhere in the last month. Nothing is changed."""
    return await desk.try_rules(hotline_of(state), request.state.actor, data.rules, now=utc_now())


@get("/api/hotline/model", opt={"permission": "hotline.desk"})
async def model(state: State) -> Json:
    """The card of the classifier in use; null while there is none."""
    return hotline_of(state).card()


@get("/api/hotline/model/drift", opt={"permission": "hotline.desk"})
async def model_drift(state: State) -> Drift | None:
    """How far what the classifier is asked now is from what it was trained on; null while there is none."""
    hotline = hotline_of(state)
    card = read_card(hotline.folder / "model-card.json")
    if card is None or hotline.classifier is None:
        return None
    return drift(card.shares, list(hotline.guesses), abstained_then=card.abstained)


ROUTES: Sequence[Any] = (categories, put_categories, rules, put_rules, dry_run, model, model_drift)
