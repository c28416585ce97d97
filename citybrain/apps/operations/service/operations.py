# SPDX-License-Identifier: Apache-2.0
"""An open operations app: the playbooks in memory, and all that works on them."""

import asyncio
from collections.abc import Iterable, Sequence

from citybrain.apps.operations.decide.matching import Version
from citybrain.apps.operations.decide.playbook import Playbook, Problem, problems
from citybrain.apps.operations.service.dispatching import Dispatching
from citybrain.apps.operations.service.surroundings import Surroundings
from citybrain.apps.operations.store import playbooks
from citybrain.apps.operations.store.playbooks import VersionRow, VersionState
from citybrain.kernel.app import Means
from citybrain.kernel.orders.parameters import checked
from citybrain.kernel.records import Facts
from citybrain.kernel.store import Store


class Operations:
    """The parts of one open app. `versions` is what the table of playbooks says; `changing` lets one act at a time."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.db = store.db
        self.around = Surroundings(store)
        self.dispatching = Dispatching(store)
        self.around.nearest = self.dispatching.nearest
        self.versions: Sequence[VersionRow] = ()
        self.shipped: frozenset[str] = frozenset()
        self.active: tuple[Version, ...] = ()
        self.changing = asyncio.Lock()

    async def load(self) -> None:
        """Read the playbooks again."""
        self.versions = await playbooks.versions(self.db)
        self.shipped = await playbooks.shipped(self.db)
        self.active = tuple(in_state(self.versions, VersionState.ACTIVE))

    def problems(self, playbook: Playbook) -> list[Problem]:
        """What hinders the lines of a playbook in this city."""
        trade = self.store.orders.trade
        return problems(playbook, trade.means, trade.executed, fits_means)


def in_state(versions: Iterable[VersionRow], state: VersionState) -> Iterable[Version]:
    """The playbooks of rows in a state."""
    return (Version(playbook=row.body, version=row.version) for row in versions if row.state is state)


def fits_means(means: Means, parameters: Facts) -> object:
    """Refuse parameters that do not fit a means; what is a slot is filled in only when an event is there."""
    return checked(means, parameters)
