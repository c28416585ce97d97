# SPDX-License-Identifier: Apache-2.0
"""What tests of access ask for."""

import pytest
from argon2 import PasswordHasher

from citybrain.kernel.access import passwords


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same algorithm at a cost that lets tests sign in a hundred times."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
