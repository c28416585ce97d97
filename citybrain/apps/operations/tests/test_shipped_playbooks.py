# SPDX-License-Identifier: Apache-2.0
"""The playbooks that come with the program: whole, sensible, in both languages."""

from fnmatch import fnmatchcase

import pytest

from citybrain.apps.operations.control.means import MEANS
from citybrain.apps.operations.decide.matching import Version, choose
from citybrain.apps.operations.decide.playbook import Playbook, check, problems
from citybrain.apps.operations.service.operations import fits_means
from citybrain.apps.operations.service.shipping import shipped_playbooks
from citybrain.apps.operations.tests.playing import event
from citybrain.kernel.records import Severity

SHIPPED = shipped_playbooks()
IDS = [each.id for each in SHIPPED]
OURS = {each.name: each for each in MEANS}
# Of other apps: this one may not import them, and whether a city has them is seen when it starts.
OTHERS = ("traffic.",)
HANDLED = (
    *("traffic.blocked_lane", "traffic.illegal_parking", "traffic.spillback", "traffic.congestion"),
    *("traffic.signal_dark", "traffic.sensor_doubted", "traffic.stopped_vehicle", "traffic.wrong_way"),
    *("traffic.road_closed", "traffic.surge", "traffic.brain_worse", "operations.flood", "operations.crowd"),
    *("operations.device_offline", "operations.air_limit", "operations.noise_limit", "operations.reports_cluster"),
    *("operations.anomaly", "ntcip.controller_silent", "gbt20999.controller_flashes", "mqtt.source_quarantined"),
    *("cap.alert", "hotline.burst", "hotline.drift", "hotline.department_gone"),
)
# What moves people or machines at a cost, closes roads or speaks with the voice of the city waits for somebody.
ASKED = ("people.*", "street.close_*", "street.gate", "signals.*", "power.*", "gas.*", "water.*", "places.*")
# A fault that is told to whoever is on duty for faults moves nobody who would not go there anyway.
NOT_ASKED = ("people.send_signal_repair",)


@pytest.mark.parametrize("playbook", SHIPPED, ids=IDS)
def test_every_line_names_a_means_that_there_is_with_parameters_that_fit(playbook: Playbook) -> None:
    check(playbook)
    found = problems(playbook, OURS, frozenset(OURS), fits_means)
    assert [each for each in found if not str(each.facts.get("means")).startswith(OTHERS)] == []


@pytest.mark.parametrize("playbook", SHIPPED, ids=IDS)
def test_every_name_and_note_is_said_in_both_languages(playbook: Playbook) -> None:
    texts = [playbook.name, *(line.note for line in playbook.lines)]
    assert all(text.get("zh") and text.get("en") for text in texts)


@pytest.mark.parametrize("playbook", SHIPPED, ids=IDS)
def test_whoever_moves_people_or_closes_roads_is_asked_first(playbook: Playbook) -> None:
    bold = [
        line.means
        for line in playbook.lines
        if line.approval == "none"
        and any(fnmatchcase(line.means, name) for name in ASKED)
        and line.means not in NOT_ASKED
    ]
    assert bold == []


@pytest.mark.parametrize("kind", HANDLED)
def test_every_kind_is_handled_at_once_as_far_as_the_machine_may(kind: str) -> None:
    versions = [Version(playbook=each, version=1) for each in SHIPPED]
    for severity in Severity:
        choice = choose(versions, event(kind, severity=severity))
        assert choice is not None
        at_once = [each for each in choice.chosen.playbook.lines if each.after is None and each.approval == "none"]
        only_asked = kind == "traffic.brain_worse"
        assert at_once or only_asked, f"{choice.chosen.playbook.id} does nothing by itself"


def test_the_worse_the_narrower() -> None:
    versions = [Version(playbook=each, version=1) for each in SHIPPED]
    for severity, expected in ((Severity.I, "operations.flood-severe"), (Severity.IV, "operations.flood")):
        choice = choose(versions, event("operations.flood", severity=severity))
        assert choice is not None
        assert choice.chosen.playbook.id == expected
