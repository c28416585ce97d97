# SPDX-License-Identifier: Apache-2.0
"""What the case engine declines to do."""

from citybrain.kernel.errors import Conflict, Forbidden, Invalid, NotFound


class NoSuchCase(NotFound):
    """There is no such case among those that may be seen."""


class NoSuchCaseType(NotFound):
    """There is no such type of case, or none that is valid at the time."""


class UnusableCaseType(Invalid):
    """A definition of a type of case that cannot work; `faults` say why, each a code with facts."""


class CaseTypeChanged(Conflict):
    """Somebody published a newer version than the one that was changed."""


class CaseChanged(Conflict):
    """Somebody else was quicker: the facts hold the newer case and who did what."""


class MoveNotInTable(Conflict):
    """The table of moves has no such move from the state the case is in."""


class MoveNotYours(Forbidden):
    """Who asks may not make this move, or not with this case."""


class SomethingMissing(Invalid):
    """A move needs something that did not come with it."""


class FieldsRefused(Invalid):
    """The fields do not fit the form; `problems` say where."""


class NotInPool(Conflict):
    """Somebody has this case already."""


class TransferRefused(Conflict):
    """The rules of its type do not let this case pass on, or not to there."""


class NotShared(NotFound):
    """The department does not help with this case."""


class LinkRefused(Conflict):
    """These cases cannot be linked this way."""


class MergeRefused(Conflict):
    """These cases cannot become one."""


class QueryRefused(Invalid):
    """A question about cases that makes no sense as it stands."""


class NoSuchQueue(NotFound):
    """There is no such kept question, or it is not the actor's to change."""


class AssigneeElsewhere(Conflict):
    """Who should have the case may not work on cases of its department."""
