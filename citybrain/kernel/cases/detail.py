# SPDX-License-Identifier: Apache-2.0
"""All there is to see of one case, for one person: what they may not see is not in it, and what they may do is said."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from citybrain.kernel.access.actor import Actor
from citybrain.kernel.cases.alarms import Alarms, Set
from citybrain.kernel.cases.attachments import Attachment, Attachments
from citybrain.kernel.cases.case import Case, CaseEvent, Comment, LinkKind, Share, Story, Verb
from citybrain.kernel.cases.case_type import Move
from citybrain.kernel.cases.permitted import NEEDED, Asker, verbs
from citybrain.kernel.cases.processes import NoSuchProcess, Processes, Standing
from citybrain.kernel.cases.ratings import Rating, Ratings
from citybrain.kernel.cases.rights import WORK, works_on
from citybrain.kernel.cases.service import Cases


class LinkSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A link, and of the case at its other end what it is called and how it stands, if it may be seen."""

    from_id: int
    to_id: int
    kind: LinkKind
    at: datetime
    by: str
    number: str | None = None
    title: str | None = None
    state: str | None = None
    type: str | None = None
    type_version: int | None = None


class Detail(msgspec.Struct, frozen=True, kw_only=True):
    """A case with its story. `moves` and `verbs` are those that who asks may make now; of a reviewer there are none."""

    case: Case
    events: Sequence[CaseEvent]
    comments: Sequence[Comment]
    links: Sequence[LinkSeen]
    shares: Sequence[Share]
    moves: Sequence[Move]
    attachments: Sequence[Attachment]
    ratings: Sequence[Rating]
    alarms: Sequence[Set]
    process: Standing | None
    verbs: Sequence[Verb]


class Details(msgspec.Struct, frozen=True, kw_only=True):
    """Puts details together."""

    cases: Cases
    attachments: Attachments
    ratings: Ratings
    alarms: Alarms
    processes: Processes

    async def of(self, actor: Actor, id: int) -> Detail:
        """A case that the actor sees, or has to review; refuses `NoSuchCase`."""
        story = await self.cases.story(actor, id)
        case = story.case
        only_reviews = id not in await self.cases.finding.those(actor, [id])
        moves = [] if only_reviews else await self.cases.moves(actor, case)
        process = await self._process(actor, id)
        return Detail(
            case=case,
            events=story.events,
            comments=story.comments,
            links=await self._links(actor, story),
            shares=story.shares,
            moves=moves,
            attachments=await self.attachments.of_case(id),
            ratings=await self.ratings.of_case(id),
            alarms=await self.alarms.of_case(id),
            process=process,
            verbs=[] if only_reviews else await self._verbs(actor, story, moves, process),
        )

    async def _verbs(self, actor: Actor, story: Story, moves: Sequence[Move], process: Standing | None) -> list[Verb]:
        case, types = story.case, self.cases.types
        asker = Asker(
            actor=actor,
            case=case,
            type=await types.get(case.type, case.type_version),
            shares=story.shares,
            newer=await types.versions(case.type) if works_on(actor, NEEDED[Verb.CONVERT], case) else (),
            moves=moves,
            has_tasks=bool(process and process.tasks) and works_on(actor, WORK, case),
        )
        return verbs(asker, self.cases.departments.within)

    async def _process(self, actor: Actor, id: int) -> Standing | None:
        try:
            return await self.processes.standing(actor, id)
        except NoSuchProcess:
            return None

    async def _links(self, actor: Actor, story: Story) -> list[LinkSeen]:
        ends = {link: link.to_id if link.from_id == story.case.id else link.from_id for link in story.links}
        seen = await self.cases.finding.those(actor, set(ends.values()))
        return [_link(link, seen.get(end)) for link, end in ends.items()]


def _link(link: msgspec.Struct, end: Case | None) -> LinkSeen:
    known = msgspec.structs.asdict(link)
    if end is None:
        return LinkSeen(**known)
    return LinkSeen(
        **known,
        number=end.number,
        title=end.title,
        state=end.state,
        type=end.type,
        type_version=end.type_version,
    )
