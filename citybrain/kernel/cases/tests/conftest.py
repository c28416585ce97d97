# SPDX-License-Identifier: Apache-2.0
"""A case engine on this module's database, with one type published."""

import pytest

from citybrain.kernel.cases.case_types import CaseTypes
from citybrain.kernel.cases.service import Cases
from citybrain.kernel.cases.tests.city import NOON, TICKET, Clock, Tree
from citybrain.kernel.db import Database


@pytest.fixture(scope="module")
async def cases(db: Database) -> Cases:
    types = CaseTypes(db)
    await types.put(TICKET, by="city", now=NOON)
    return Cases(db, types, Clock(), Tree())
