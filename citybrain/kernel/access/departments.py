# SPDX-License-Identifier: Apache-2.0
"""Departments as a tree, and the posts in them. One that is dissolved names who carries on its work."""

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.access.actor import Actor
from citybrain.kernel.access.acts import Act, Acts, Dissolved
from citybrain.kernel.access.policy import Department
from citybrain.kernel.access.powers import POWERS, PowerPermission
from citybrain.kernel.errors import Conflict, Invalid, NotFound
from citybrain.kernel.records import Text

PERMISSION = "people.departments"
ID = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    tree_lock: str
    department_add: str
    departments: str
    department_change: str
    department_dissolve: str
    department_members_move: str
    department_children_move: str
    department_posts_move: str
    post_save: str
    posts: str
    post_remove: str
    post_held: str


SQL = sql.load(Path(__file__).with_name("queries_departments.sql"), Sql)


class NoSuchDepartment(NotFound):
    """There is no such department, or it was dissolved."""


class NoSuchPost(NotFound):
    """There is no such post."""


class DepartmentExists(Conflict):
    """A department of this id is or was there."""


class DepartmentLoop(Conflict):
    """A department would stand below itself, or carry on its own work."""


class PostHeld(Conflict):
    """Somebody holds the post."""


class BadId(Invalid):
    """An id is small letters, digits and `-_.`, at most 64."""


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a department; whoever holds it has its roles there."""

    id: str
    department: str
    name: Text
    roles: tuple[str, ...]


class Departments:
    """The tree of one city. `watchers` are told in the transaction that dissolves a department."""

    def __init__(self, acts: Acts) -> None:
        self._acts = acts
        self.watchers: list[Dissolved] = []

    async def all(self) -> list[Department]:
        """Every department, dissolved ones too."""
        return await self._acts.db.read(SQL.departments, as_=Department)

    async def posts(self) -> list[Post]:
        """Every post."""
        return await self._acts.db.read(SQL.posts, as_=Post)

    async def add(self, actor: Actor, id: str, *, name: Text, parent: str | None, now: datetime) -> None:
        """Make a department under another one, or at the top."""
        check_id(id)
        async with self._acts.begin(actor, PERMISSION) as act:
            known = await _tree(act)
            if id in known:
                raise DepartmentExists("kernel.department_exists", {"id": id})
            if parent is not None:
                _living(known, parent)
            params = {"id": id, "name": msgspec.json.encode(name).decode(), "parent": parent, "now": now}
            await act.transaction.write(SQL.department_add, params)
            await act.record("people.department_added", f"department:{id}", {"parent": parent, "name": dict(name)})

    async def plant(self, actor: Actor, tree: Sequence[Department], *, now: datetime) -> bool:
        """Make a whole tree where there is none, those above before those below; False when there is one already."""
        async with self._acts.begin(actor, PERMISSION) as act:
            if await _tree(act):
                return False
            for each in tree:
                check_id(each.id)
                params = {"id": each.id, "name": msgspec.json.encode(each.name).decode(), "parent": each.parent}
                await act.transaction.write(SQL.department_add, {**params, "now": now})
                facts = {"parent": each.parent, "name": dict(each.name)}
                await act.record("people.department_added", f"department:{each.id}", facts)
        return True

    async def change(self, actor: Actor, id: str, *, name: Text, parent: str | None) -> None:
        """Give a department another name or place. Refuses a place below itself."""
        async with self._acts.begin(actor, PERMISSION) as act:
            known = await _tree(act)
            was = _living(known, id)
            if parent is not None:
                _living(known, parent)
            if id in _line(known, parent):
                raise DepartmentLoop("kernel.department_loop", {"id": id, "other": parent})
            params = {"id": id, "name": msgspec.json.encode(name).decode(), "parent": parent}
            await act.transaction.write(SQL.department_change, params)
            facts = {"parent": parent, "name": dict(name), "was_parent": was.parent, "was_name": dict(was.name)}
            await act.record("people.department_changed", f"department:{id}", facts)

    async def dissolve(self, actor: Actor, id: str, *, successor: str, now: datetime) -> None:
        """End a department. Its members, posts, sub-departments and open work go on in the successor.

        Whoever reaches the successor's rows reaches those that still name the dissolved one. A successor that stood
        below takes its place in the tree.
        """
        async with self._acts.begin(actor, PERMISSION) as act:
            known = await _tree(act)
            department, heir = _living(known, id), _living(known, successor)
            if id == successor:
                raise DepartmentLoop("kernel.department_loop", {"id": id, "other": successor})
            if id in _line(known, heir.parent):
                params = {
                    "id": heir.id,
                    "name": msgspec.json.encode(heir.name).decode(),
                    "parent": department.parent,
                }
                await act.transaction.write(SQL.department_change, params)
            moving = {"id": id, "successor": successor, "now": now, "by": actor.account}
            await act.transaction.write(SQL.department_children_move, moving)
            members = await act.transaction.write(SQL.department_members_move, moving)
            await act.transaction.write(SQL.department_posts_move, moving)
            await act.transaction.write(SQL.department_dissolve, moving)
            for watcher in self.watchers:
                await watcher(act.transaction, actor, id, successor)
            await act.record(
                "people.department_dissolved", f"department:{id}", {"successor": successor, "members": members}
            )

    async def save_post(self, actor: Actor, post: Post, *, now: datetime, roles: Sequence[str] = ()) -> None:
        """Make or change a post. `roles` are the names that exist; a power is never a post's."""
        check_id(post.id)
        for role in post.roles:
            if role in POWERS or role not in roles:
                raise PowerPermission("kernel.role_not_for_posts", {"role": role})
        async with self._acts.begin(actor, PERMISSION) as act:
            _living(await _tree(act), post.department)
            params = {
                "id": post.id,
                "department": post.department,
                "name": msgspec.json.encode(post.name).decode(),
                "roles": list(post.roles),
                "now": now,
            }
            await act.transaction.write(SQL.post_save, params)
            facts = {"department": post.department, "roles": list(post.roles)}
            await act.record("people.post_saved", f"post:{post.id}", facts)

    async def remove_post(self, actor: Actor, id: str) -> None:
        """Remove a post that nobody ever held; one that was held stays for the record, so it is emptied instead."""
        async with self._acts.begin(actor, PERMISSION) as act:
            if await act.transaction.read(SQL.post_held, {"id": id}, as_=int):
                raise PostHeld("kernel.post_held", {"id": id})
            if not await act.transaction.write(SQL.post_remove, {"id": id}):
                raise NoSuchPost("kernel.no_such_post", {"id": id})
            await act.record("people.post_removed", f"post:{id}", {})


def check_id(id: str) -> None:
    """Refuse an id that could not stand in an address or a file."""
    if not ID.fullmatch(id):
        raise BadId("kernel.id_unusable", {"id": id})


async def _tree(act: Act) -> dict[str, Department]:
    """All departments, with the tree held still until the act is over."""
    await act.transaction.write(SQL.tree_lock)
    return {each.id: each for each in await act.transaction.read(SQL.departments, as_=Department)}


def _living(known: dict[str, Department], id: str) -> Department:
    found = known.get(id)
    if found is None or found.dissolved_at is not None:
        raise NoSuchDepartment("kernel.no_such_department", {"id": id})
    return found


def _line(known: dict[str, Department], id: str | None) -> set[str]:
    """A department and all above it."""
    line: set[str] = set()
    while id is not None and id not in line:
        line.add(id)
        id = known[id].parent
    return line
