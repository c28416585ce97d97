# SPDX-License-Identifier: Apache-2.0
"""Routes for the three powers: accounts, departments, posts, roles, memberships, delegations, sessions of others."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from litestar import Request, delete, get, post, put
from litestar.datastructures import State
from litestar.params import FromPath, JSONBody

from citybrain.kernel.access import Access
from citybrain.kernel.access.accounts import AccountView
from citybrain.kernel.access.departments import Post
from citybrain.kernel.access.grants import NewDelegation, NewMembership
from citybrain.kernel.access.policy import Delegation, Department, Membership, RoleRight
from citybrain.kernel.access.sessions import SessionView
from citybrain.kernel.clock import utc_now
from citybrain.kernel.records import Json, Text

AnyRequest = Request[Any, Any, Any]


class NewAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A staff account; its owner changes the password."""

    name: str
    password: str
    shown_name: str = ""


class GivenPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A password from the administration."""

    password: str


class CityRoles(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Roles in the whole city."""

    roles: tuple[str, ...]


class Appointment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is to hold a power; with a password a new account is made for the first holder."""

    account: str
    password: str | None = None


class NewDepartment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A department and its place in the tree."""

    id: str
    name: Text
    parent: str | None = None


class DepartmentChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A department's name and place from now on."""

    name: Text
    parent: str | None = None


class Dissolution(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who carries on a dissolved department's work."""

    successor: str


class RoleDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A role as it is to be; `version` is the one it was read in, 0 for a new one."""

    shown_name: Text
    permissions: Mapping[str, RoleRight]
    version: int = 0


@get("/api/people", opt={"permission": "people.view"})
async def people(state: State) -> Sequence[AccountView]:
    """Every staff account."""
    access: Access = state.access
    return await access.accounts.all()


@post("/api/people", opt={"permission": "people.accounts"}, status_code=201)
async def open_account(state: State, request: AnyRequest, data: JSONBody[NewAccount]) -> dict[str, Json]:
    """Make a staff account that may nothing yet."""
    access: Access = state.access
    await access.accounts.open(request.state.actor, data.name, data.password, shown_name=data.shown_name, now=utc_now())
    return {"name": data.name}


@delete("/api/people/{name:str}", opt={"permission": "people.accounts"}, status_code=204)
async def close_account(state: State, request: AnyRequest, name: FromPath[str]) -> None:
    """Close an account: its sessions end and its rights count for nothing."""
    access: Access = state.access
    await access.accounts.close(request.state.actor, name, now=utc_now())


@post("/api/people/{name:str}/reopening", opt={"permission": "people.accounts"}, status_code=204)
async def reopen_account(state: State, request: AnyRequest, name: FromPath[str]) -> None:
    """Open a closed account again."""
    access: Access = state.access
    await access.accounts.reopen(request.state.actor, name)


@put("/api/people/{name:str}/password", opt={"permission": "people.accounts", "step_up": True}, status_code=204)
async def give_password(state: State, request: AnyRequest, name: FromPath[str], data: JSONBody[GivenPassword]) -> None:
    """Give somebody who forgot it a new password."""
    access: Access = state.access
    await access.accounts.new_password(request.state.actor, name, data.password)


@put("/api/people/{name:str}/roles", opt={"permission": "people.grants", "step_up": True}, status_code=204)
async def set_roles(state: State, request: AnyRequest, name: FromPath[str], data: JSONBody[CityRoles]) -> None:
    """Say which roles somebody has in the whole city."""
    access: Access = state.access
    await access.accounts.set_roles(request.state.actor, name, data.roles)


@get("/api/people/{name:str}/sessions", opt={"permission": "people.sessions"})
async def sessions_of(state: State, name: FromPath[str]) -> Sequence[SessionView]:
    """The open sessions of an account."""
    access: Access = state.access
    return await access.sessions.of(name, utc_now())


@delete("/api/people/{name:str}/sessions", opt={"permission": "people.sessions"}, status_code=200)
async def end_sessions(state: State, request: AnyRequest, name: FromPath[str]) -> dict[str, Json]:
    """End every session of an account."""
    access: Access = state.access
    return {"ended": await access.accounts.end_sessions(request.state.actor, name)}


@delete("/api/people/{name:str}/second-factor", opt={"permission": "people.sessions", "step_up": True}, status_code=204)
async def reset_second_factor(state: State, request: AnyRequest, name: FromPath[str]) -> None:
    """Take somebody's lost second factor away."""
    access: Access = state.access
    await access.factors.reset(request.state.actor, name)


@post("/api/powers/{power:str}", opt={"permission": "people.appoint", "step_up": True}, status_code=204)
async def appoint(state: State, request: AnyRequest, power: FromPath[str], data: JSONBody[Appointment]) -> None:
    """Give somebody one of the three powers."""
    access: Access = state.access
    actor = request.state.actor
    if data.password is None:
        await access.accounts.appoint(actor, data.account, power)
    else:
        await access.accounts.appoint_new(actor, data.account, data.password, power, now=utc_now())


@delete("/api/powers/{power:str}/{name:str}", opt={"permission": "people.appoint", "step_up": True}, status_code=204)
async def dismiss(state: State, request: AnyRequest, power: FromPath[str], name: FromPath[str]) -> None:
    """Take a power from somebody."""
    access: Access = state.access
    await access.accounts.dismiss(request.state.actor, name, power)


@get("/api/departments", opt={"permission": "people.view"})
async def departments(state: State) -> Sequence[Department]:
    """Every department, dissolved ones too."""
    access: Access = state.access
    return await access.departments.all()


@post("/api/departments", opt={"permission": "people.departments"}, status_code=201)
async def add_department(state: State, request: AnyRequest, data: JSONBody[NewDepartment]) -> dict[str, Json]:
    """Make a department."""
    access: Access = state.access
    await access.departments.add(request.state.actor, data.id, name=data.name, parent=data.parent, now=utc_now())
    return {"id": data.id}


@put("/api/departments/{id:str}", opt={"permission": "people.departments"}, status_code=204)
async def change_department(
    state: State, request: AnyRequest, id: FromPath[str], data: JSONBody[DepartmentChange]
) -> None:
    """Give a department another name or place."""
    access: Access = state.access
    await access.departments.change(request.state.actor, id, name=data.name, parent=data.parent)


@post("/api/departments/{id:str}/dissolution", opt={"permission": "people.departments"}, status_code=204)
async def dissolve(state: State, request: AnyRequest, id: FromPath[str], data: JSONBody[Dissolution]) -> None:
    """End a department; its members, posts and open work go on in the successor."""
    access: Access = state.access
    await access.departments.dissolve(request.state.actor, id, successor=data.successor, now=utc_now())


@get("/api/posts", opt={"permission": "people.view"})
async def posts(state: State) -> Sequence[Post]:
    """Every post."""
    access: Access = state.access
    return await access.departments.posts()


@put("/api/posts", opt={"permission": "people.departments"}, status_code=204)
async def save_post(state: State, request: AnyRequest, data: JSONBody[Post]) -> None:
    """Make or change a post."""
    access: Access = state.access
    await access.departments.save_post(request.state.actor, data, now=utc_now(), roles=await access.roles.names())


@delete("/api/posts/{id:str}", opt={"permission": "people.departments"}, status_code=204)
async def remove_post(state: State, request: AnyRequest, id: FromPath[str]) -> None:
    """Remove a post that nobody ever held."""
    access: Access = state.access
    await access.departments.remove_post(request.state.actor, id)


@get("/api/roles", opt={"permission": "people.view"})
async def roles(state: State) -> dict[str, Json]:
    """The roles of this city's own, those that its parts declare, and every permission that can be given."""
    access: Access = state.access
    return {
        "own": await access.roles.own(),
        "declared": {name: sorted(given) for name, given in access.roles.built_in().items()},
        "permissions": access.roles.to_give(),
    }


@put("/api/roles/{name:str}", opt={"permission": "people.roles", "step_up": True})
async def save_role(
    state: State, request: AnyRequest, name: FromPath[str], data: JSONBody[RoleDraft]
) -> dict[str, Json]:
    """Make or change a role; refuses to change what somebody else has changed since it was read."""
    access: Access = state.access
    version = await access.roles.save(
        request.state.actor,
        name,
        shown_name=data.shown_name,
        permissions=data.permissions,
        expected_version=data.version,
        now=utc_now(),
    )
    return {"name": name, "version": version}


@delete("/api/roles/{name:str}", opt={"permission": "people.roles", "step_up": True}, status_code=204)
async def remove_role(state: State, request: AnyRequest, name: FromPath[str]) -> None:
    """Remove a role that nobody has."""
    access: Access = state.access
    await access.roles.remove(request.state.actor, name)


@get("/api/memberships", opt={"permission": "people.view"})
async def memberships(state: State) -> Sequence[Membership]:
    """Who has which role where, now or to come."""
    access: Access = state.access
    return await access.grants.memberships(utc_now())


@post("/api/memberships", opt={"permission": "people.grants"}, status_code=201)
async def give(state: State, request: AnyRequest, data: JSONBody[NewMembership]) -> dict[str, Json]:
    """Give somebody a role or a post in a department."""
    access: Access = state.access
    return {"id": await access.grants.give(request.state.actor, data, now=utc_now())}


@delete("/api/memberships/{number:int}", opt={"permission": "people.grants"}, status_code=204)
async def take(state: State, request: AnyRequest, number: FromPath[int]) -> None:
    """End a membership now."""
    access: Access = state.access
    await access.grants.take(request.state.actor, number, now=utc_now())


@get("/api/delegations", opt={"permission": "people.view"})
async def delegations(state: State) -> Sequence[Delegation]:
    """Who acts for whom, now or to come."""
    access: Access = state.access
    return await access.grants.delegations(utc_now())


@post("/api/delegations", opt={"permission": "people.delegate"}, status_code=201)
async def delegate(state: State, request: AnyRequest, data: JSONBody[NewDelegation]) -> dict[str, Json]:
    """Let somebody act for one while one is away."""
    access: Access = state.access
    return {"id": await access.grants.delegate(request.state.actor, data, now=utc_now())}


@delete("/api/delegations/{number:int}", opt={"permission": "people.delegate"}, status_code=204)
async def revoke(state: State, request: AnyRequest, number: FromPath[int]) -> None:
    """End a delegation now."""
    access: Access = state.access
    await access.grants.revoke(request.state.actor, number, now=utc_now())


ROUTES = (
    people,
    open_account,
    close_account,
    reopen_account,
    give_password,
    set_roles,
    sessions_of,
    end_sessions,
    reset_second_factor,
    appoint,
    dismiss,
    departments,
    add_department,
    change_department,
    dissolve,
    posts,
    save_post,
    remove_post,
    roles,
    save_role,
    remove_role,
    memberships,
    give,
    take,
    delegations,
    delegate,
    revoke,
)
