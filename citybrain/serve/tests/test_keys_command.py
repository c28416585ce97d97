# SPDX-License-Identifier: Apache-2.0
"""`citybrain keys` makes new keys, shows none, and leaves a running city alone."""

import pytest
from typer.testing import CliRunner

from citybrain.kernel.clock import utc_now
from citybrain.kernel.crypto import KeyRing, Place
from citybrain.kernel.embedded import Claim
from citybrain.kernel.errors import Unavailable
from citybrain.kernel.settings import Settings
from citybrain.serve.cli import commands_for

COMMANDS = commands_for(["keys"])

PLACE = Place("t", "c", 1)


def test_new_keys_are_for_what_is_new_and_none_is_shown(
    unused_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYBRAIN_DATA", str(unused_settings.data))
    before = KeyRing.open(unused_settings.key_file, now=utc_now())
    sealed = before.encrypt("x", PLACE)
    result = CliRunner().invoke(COMMANDS, ["keys", "rotate"])
    assert result.exit_code == 0, result.output
    ring = KeyRing.open(unused_settings.key_file, now=utc_now())
    assert [key.use for key in ring.keys] == ["data", "search", "seal", "data", "seal"]
    assert (ring.decrypt(sealed, PLACE), ring.is_current(sealed)) == ("x", False)
    shown = CliRunner().invoke(COMMANDS, ["keys", "list"]).output
    assert "seal" in shown
    assert not any(key.secret.hex() in shown for key in ring.keys)


def test_the_keys_of_a_running_city_are_left_alone(unused_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYBRAIN_DATA", str(unused_settings.data))
    claim = Claim(unused_settings.data)
    try:
        with pytest.raises(Unavailable):
            CliRunner().invoke(COMMANDS, ["keys", "rotate"], catch_exceptions=False)
    finally:
        claim.release()
