# SPDX-License-Identifier: Apache-2.0
"""An open hotline on this module's database, with some places in its index."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from citybrain.apps.hotline.index.places import Place, Places
from citybrain.apps.hotline.service.hotline import Hotline, opened
from citybrain.kernel.clock import new_id
from citybrain.kernel.i18n import load_words
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import Store, open_store

HOTLINE = Path(__file__).parents[1]

PLACES = [
    Place(id="urn:p:1", name="中关村大街", longitude=116.316, latitude=39.983),
    Place(id="urn:p:2", name="中关村", longitude=116.31, latitude=39.98),
    Place(id="urn:p:3", name="人民公园", longitude=116.40, latitude=39.90),
    Place(id="urn:p:4", name="幸福里小区", longitude=116.35, latitude=39.95),
    Place(id="urn:p:5", name="Station Road", longitude=116.36, latitude=39.96),
]


@pytest.fixture(scope="module")
async def store(database_url: str, open_folder: Path) -> AsyncIterator[Store]:
    """A city that speaks the hotline's words too."""
    settings = Settings(data=open_folder / f"hotline-{new_id()}", database_url=database_url)
    async with open_store(settings, words=load_words([HOTLINE])) as opened_store:
        yield opened_store


@pytest.fixture(scope="module")
async def hotline(store: Store) -> AsyncIterator[Hotline]:
    async with opened(store) as found:
        found.places = Places(PLACES)
        yield found
