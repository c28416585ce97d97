# SPDX-License-Identifier: Apache-2.0
"""From event to outcome, on a city that runs with its database: `python -m bench.outcome`.

One scenario with drawn incidents, three times: with the playbooks in force, with none of them, and by hand, where an
officer gives the very orders of the playbooks so long after an alarm as published for work by hand. Prints how much
was found and handled at once, how long it took, and how long incidents stood; `name value unit` lines.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec

from bench.outcome_scoring import Found, found_of, standing_s
from citybrain.apps.operations.measure.figures import BY_HAND_S
from tests.scenarios.city import RunningCity, start

ARMS = ("playbooks", "none", "by_hand")
CONFIRMS_AFTER_S = 30.0
"""So long (city time) the officer of the first arm reads a proposal before confirming it."""

LEAVES = ("street.divert", "street.gate")
"""What an officer leaves who has no time to ask what-if: leading traffic elsewhere, not knowing whether it helps."""

LOOK_EVERY_S = 0.4
PAGE = 500


class Came(msgspec.Struct, kw_only=True):
    """What one arm came to."""

    arm: str
    truth: list[Mapping[str, Any]]
    alarms: list[Mapping[str, Any]]
    figures: Mapping[str, Mapping[str, Any]]
    delay_s: float
    arrived: int
    at_once: frozenset[str]


def main() -> None:
    """Run the arms one after the other and compare them."""
    said = _arguments()
    came = _kept(said.results)
    for arm in said.arms:
        if arm not in came:
            came[arm] = run(arm, said)
            _keep(said.results, came[arm])
    for each in came.values():
        report(each, said)
    compare(came)


def _kept(results: Path | None) -> dict[str, Came]:
    """What was run before; delete the file to run it again."""
    if results is None or not results.exists():
        return {}
    lines = results.read_bytes().splitlines()
    return {came.arm: came for came in (msgspec.json.decode(line, type=Came) for line in lines)}


def _keep(results: Path | None, came: Came) -> None:
    if results is not None:
        with results.open("ab") as file:
            file.write(msgspec.json.encode(came) + b"\n")


def run(arm: str, said: argparse.Namespace) -> Came:
    """One day of the scenario under one arm."""
    draw: dict[str, Any] = {"seed": said.seed, "per_hour": said.per_hour, "from_s": 120.0}
    if said.kinds:
        draw["kinds"] = said.kinds
    variables = {"CITYBRAIN_INCIDENTS": msgspec.json.encode(draw).decode()}
    with tempfile.TemporaryDirectory(prefix="citybrain-outcome-") as top:
        Path(top).chmod(0o755)
        city = start(Path(top) / "data", scenario=said.net, speed=str(said.speed), variables=variables)
        try:
            with _officer(city) as officer:
                if arm != "playbooks":
                    _retire_all(officer, drafts=arm == "by_hand")
                return _watch(arm, officer, frozenset(said.leaves))
        finally:
            city.stop()


def _watch(arm: str, officer: httpx.Client, leaves: frozenset[str]) -> Came:
    """Do the officer's work until the day is over."""
    done: set[str] = set()
    while True:
        finished = [each for each in _get(officer, "/api/runs") if each["finished_at"] is not None]
        if finished:
            return _came(arm, officer, finished[-1])
        city_time = _get(officer, "/api/status")["city_time"]
        if city_time is not None and arm == "playbooks":
            _confirm(officer, datetime.fromisoformat(city_time), done, leaves)
        elif city_time is not None and arm == "by_hand":
            _order_by_hand(officer, datetime.fromisoformat(city_time), done, leaves)
        time.sleep(LOOK_EVERY_S)


def _confirm(officer: httpx.Client, now: datetime, done: set[str], leaves: frozenset[str]) -> None:
    """Say yes to what is proposed, once it was read."""
    for run in _get(officer, "/api/operations/runs", state="open", limit=PAGE):
        for line in run["lines"]:
            key = f"{run['id']} {line['number']} {line['part']}"
            read = now - datetime.fromisoformat(line["city_at"]) >= timedelta(seconds=CONFIRMS_AFTER_S)
            is_his = line["approval"] != "two" and line["means"] not in leaves
            if line["state"] == "proposed" and is_his and read and key not in done:
                done.add(key)
                _post(officer, f"/api/operations/runs/{run['id']}/lines/{line['number']}", {"act": "confirm"})


def _order_by_hand(officer: httpx.Client, now: datetime, done: set[str], leaves: frozenset[str]) -> None:
    """Give the orders that the playbook would, so late as by hand."""
    for alarm in _get(officer, "/api/alarms", state="open", limit=PAGE)["rows"]:
        if alarm["id"] in done or now - datetime.fromisoformat(alarm["at"]) < timedelta(seconds=BY_HAND_S):
            continue
        done.add(alarm["id"])
        suggestions = _get(officer, "/api/operations/suggestions", event_id=alarm["id"])
        for line in suggestions[0]["lines"] if suggestions else ():
            if line["code"] or line["waits"] or line["approval"] == "two" or line["means"] in leaves:
                continue
            wanted = {name: line[name] for name in ("means", "entity_id", "parameters")}
            _post(officer, "/api/orders", {**wanted, "event_id": alarm["id"], "reason": "by hand"})


def _came(arm: str, officer: httpx.Client, run: Mapping[str, Any]) -> Came:
    span = {"since": run["begins_at"], "until": run["ends_at"]}
    figures = {each["name"]: each for each in _get(officer, "/api/operations/indicators", **span)}
    table = _get(officer, "/api/operations/indicators/operations.handled_at_once/rows", **span)
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
    brain = run["summary"]["brain"]
    return Came(
        arm=arm,
        truth=brain["truth"],
        alarms=list(_alarms(officer, span)),
        figures=figures,
        delay_s=brain["delay_s"],
        arrived=brain["arrived"],
        at_once=frozenset(row["event"] for row in rows if row["at_once"]),
    )


def _alarms(officer: httpx.Client, span: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    cursor: str | None = None
    while True:
        after = {"cursor": cursor} if cursor else {}
        page = _get(officer, "/api/alarms", state="all", sort="at", limit=PAGE, **span, **after)
        yield from page["rows"]
        cursor = page["next"]
        if cursor is None:
            return


def report(came: Came, said: argparse.Namespace) -> None:
    """What one arm came to."""
    found = found_of(came.truth, came.alarms, said.net)
    known = [each for each in found if each.alarms]
    name = f"outcome_{said.net}_{came.arm}"
    _say(f"{name}_incidents", len(found), "incidents")
    _say(f"{name}_found", _pct(len(known), len(found)), "%")
    _say(f"{name}_found_median", _median([each.found_s for each in known if each.found_s is not None]), "s")
    by_alarm = {id for each in found for id in each.alarms}
    _say(f"{name}_alarms", len(came.alarms), "alarms")
    _say(f"{name}_alarms_of_no_incident", sum(each["id"] not in by_alarm for each in came.alarms), "alarms")
    handled = sum(bool(each.alarms & came.at_once) for each in found)
    _say(f"{name}_incidents_handled_at_once", _pct(handled, len(found)), "%")
    for figure in came.figures.values():
        _say(f"{name}_{figure['name'].removeprefix('operations.')}", figure["value"], figure["unit"])
    _say(f"{name}_stood_median", _median(_stood(came.truth)), "s")
    _say(f"{name}_delay", came.delay_s, "s/veh")
    _say(f"{name}_arrived", came.arrived, "veh")
    for kind in sorted({each.kind for each in found}):
        ours: Sequence[Found] = [each for each in found if each.kind == kind]
        hit = sum(bool(each.alarms) for each in ours)
        print(f"#   {came.arm} {kind}: {hit} of {len(ours)} found")


def compare(came: Mapping[str, Came]) -> None:
    """How long incidents that somebody can clear stood, arm by arm, over those that happened in all of them."""
    if len(came) < 2:
        return
    stood = {arm: standing_s(each.truth) for arm, each in came.items()}
    both = set.intersection(*(set(each) for each in stood.values()))
    for arm, each in stood.items():
        _say(f"outcome_same_incidents_stood_{arm}", _mean([each[number] for number in both]), "s")
    _say("outcome_same_incidents", len(both), "incidents")


def _stood(truth: Sequence[Mapping[str, Any]]) -> list[float]:
    return list(standing_s(truth).values())


@contextmanager
def _officer(city: RunningCity) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=city.url, headers={"X-Citybrain": "1"}, timeout=60) as client:
        client.post("/api/session", json={"name": "operator", "password": city.password}).raise_for_status()
        yield client


def _retire_all(officer: httpx.Client, *, drafts: bool) -> None:
    """Take every playbook out of force; as drafts they still say what one would do."""
    for each in _get(officer, "/api/operations/playbooks"):
        if each["active"] is None:
            continue
        officer.post(f"/api/operations/playbooks/{each['id']}/retire").raise_for_status()
        if drafts:
            officer.put(f"/api/operations/playbooks/{each['id']}", json=each["body"]).raise_for_status()


def _get(officer: httpx.Client, path: str, **params: Any) -> Any:
    answer = officer.get(path, params=params)
    assert answer.status_code == 200, f"{path}: {answer.text}"
    return answer.json()


def _post(officer: httpx.Client, path: str, body: Mapping[str, Any]) -> None:
    """Do what an officer may be refused; what was is told, for an arm with many of these is no fair one."""
    answer = officer.post(path, json=body)
    if answer.status_code >= 500:
        answer.raise_for_status()
    if answer.is_client_error:
        print(f"#   refused: {path} {answer.text[:200]}", flush=True)


def _say(name: str, value: float | None, unit: str) -> None:
    shown = "–" if value is None else f"{value:.1f}" if isinstance(value, float) else str(value)
    print(f"{name} {shown} {unit}", flush=True)


def _pct(part: int, whole: int) -> float | None:
    return 100.0 * part / whole if whole else None


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None


def _mean(values: Sequence[float]) -> float | None:
    return statistics.fmean(values) if values else None


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--net", default="cologne8")
    parser.add_argument("--per-hour", type=float, default=24.0)
    parser.add_argument("--kinds", nargs="+", default=[], help="Kinds of incidents; all if none are said.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", type=float, default=15.0)
    parser.add_argument("--results", type=Path, default=None, help="File that keeps arms that were run.")
    parser.add_argument("--leaves", nargs="*", default=list(LEAVES), help="Means that the officer never orders.")
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    return parser.parse_args()


if __name__ == "__main__":
    main()
