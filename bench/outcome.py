# SPDX-License-Identifier: Apache-2.0
"""From event to outcome, on a city that runs with its database: `python -m bench.outcome`.

The standard day, three times for each seed: with the playbooks in force, with none of them, and by hand, where an
officer says yes to the very lines of the playbooks, so long after an event as published for work by hand. Prints how
much was found and handled at once, how long it took, how long incidents stood, what came of the orders, and the delay;
`name value unit` lines. What the standard day is stands here, and in docs/reference/operations-indicators.md.
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

from bench.outcome_scoring import Found, found_of, kept_promises, standing_s
from citybrain.apps.operations.measure.figures import BY_HAND_S
from tests.scenarios.city import RunningCity, start

ARMS = ("playbooks", "none", "by_hand")
CONFIRMS_AFTER_S = 30.0
"""So long (city time) the officer of the first arm reads a proposal before confirming it."""

ASKED = {"approval": "officer", "alone_if": None, "approve_minutes": 1440}
"""What every line of a playbook is like where all is done by hand."""

LEAVES = ("street.divert", "street.gate")
"""What an officer leaves who has no time to ask what-if: leading traffic elsewhere, not knowing whether it helps."""

UNTIL_CLEARED: tuple[float, float] = (600.0, 600.0)
LASTS: Mapping[str, tuple[float, float]] = {
    **dict.fromkeys(("crash", "lane_closure", "closure", "dark_signal"), UNTIL_CLEARED),
    **dict.fromkeys(("breakdown", "illegal_parking"), (30.0, 60.0)),
    "stopped": (2.0, 5.0),
    **dict.fromkeys(("sensor_dark", "sensor_frozen", "sensor_jumping", "sensor_contradictory"), (5.0, 30.0)),
    "surge": (10.0, 20.0),
}
"""The kinds of the standard day, and the minutes that each lasts when nobody is sent. What blocks a road or is broken
stays until somebody clears it; who broke down is fetched by a tow truck of his own choice: 30 to 60 minutes are what
towing firms tell their customers, and our convention."""

LOOK_EVERY_S = 1.0
PAGE = 500


class Officer(msgspec.Struct, frozen=True, kw_only=True):
    """How long after an event an officer says yes to what is done first, and which means are never ordered."""

    first_s: float
    leaves: frozenset[str]


class Came(msgspec.Struct, kw_only=True):
    """What one arm came to."""

    arm: str
    seed: int
    truth: list[Mapping[str, Any]]
    alarms: list[Mapping[str, Any]]
    figures: Mapping[str, Mapping[str, Any]]
    delay_s: float
    arrived: int
    day_s: float
    at_once: frozenset[str]
    checks: list[Mapping[str, Any]]


def main() -> None:
    """Run the arms one after the other and compare them."""
    said = _arguments()
    kept = _kept(said.results)
    for seed in said.seeds:
        for arm in said.arms:
            if (seed, arm) not in kept:
                kept[seed, arm] = run(arm, seed, said)
                _keep(said.results, kept[seed, arm])
        came = {arm: kept[seed, arm] for arm in said.arms}
        for each in came.values():
            report(each, said)
        compare(f"outcome_{said.net}_{seed}", came)


def _kept(results: Path | None) -> dict[tuple[int, str], Came]:
    """What was run before; delete the file to run it again."""
    if results is None or not results.exists():
        return {}
    lines = results.read_bytes().splitlines()
    return {(came.seed, came.arm): came for came in (msgspec.json.decode(line, type=Came) for line in lines)}


def _keep(results: Path | None, came: Came) -> None:
    if results is not None:
        with results.open("ab") as file:
            file.write(msgspec.json.encode(came) + b"\n")


def run(arm: str, seed: int, said: argparse.Namespace) -> Came:
    """One day of the scenario under one arm."""
    draw: dict[str, Any] = {"seed": seed, "per_hour": said.per_hour, "from_s": 120.0, "minutes": LASTS}
    draw["kinds"] = said.kinds or list(LASTS)
    variables = {"CITYBRAIN_INCIDENTS": msgspec.json.encode(draw).decode()}
    with tempfile.TemporaryDirectory(prefix="citybrain-outcome-") as top:
        Path(top).chmod(0o755)
        city = start(Path(top) / "data", scenario=said.net, speed="1", variables=variables)
        try:
            with _officer(city) as officer:
                if arm != "playbooks":
                    _retire_all(officer, by_hand=arm == "by_hand")
                # What happens before the arm is what it is must not count.
                officer.post("/api/city/speed", json={"speed": said.speed}).raise_for_status()
                finished = _watch(arm, officer, said)
                return _came(arm, seed, officer, finished)
        finally:
            city.stop()


def _watch(arm: str, officer: httpx.Client, said: argparse.Namespace) -> Mapping[str, Any]:
    """Do the officer's work until the day is over; the run that finished."""
    how = Officer(first_s=said.by_hand_s if arm == "by_hand" else CONFIRMS_AFTER_S, leaves=frozenset(said.leaves))
    done: set[str] = set()
    while True:
        finished = [each for each in _get(officer, "/api/runs") if each["finished_at"] is not None]
        if finished:
            last: Mapping[str, Any] = finished[-1]
            return last
        city_time = _get(officer, "/api/status")["city_time"]
        if city_time is not None and arm != "none":
            _confirm(officer, datetime.fromisoformat(city_time), done, how)
        time.sleep(LOOK_EVERY_S)


def _confirm(officer: httpx.Client, now: datetime, done: set[str], how: Officer) -> None:
    """Say yes to what is proposed: to what is done first so long after, to what follows from it once it was read."""
    for run in _get(officer, "/api/operations/runs", state="open", limit=PAGE):
        for line in run["lines"]:
            key = f"{run['id']} {line['number']} {line['part']}"
            after_s = how.first_s if line["after"] is None else CONFIRMS_AFTER_S
            read = now - datetime.fromisoformat(line["city_at"]) >= timedelta(seconds=after_s)
            is_his = line["approval"] != "two" and line["means"] not in how.leaves
            if line["state"] == "proposed" and is_his and read and key not in done:
                done.add(key)
                _post(officer, f"/api/operations/runs/{run['id']}/lines/{line['number']}", {"act": "confirm"})


def _came(arm: str, seed: int, officer: httpx.Client, run: Mapping[str, Any]) -> Came:
    span = {"since": run["begins_at"], "until": run["ends_at"]}
    figures = {each["name"]: each for each in _get(officer, "/api/operations/indicators", **span)}
    day = datetime.fromisoformat(run["ends_at"]) - datetime.fromisoformat(run["begins_at"])
    brain = run["summary"]["brain"]
    return Came(
        arm=arm,
        seed=seed,
        truth=brain["truth"],
        alarms=list(_alarms(officer, span)),
        figures=figures,
        delay_s=brain["delay_s"],
        arrived=brain["arrived"],
        day_s=day.total_seconds(),
        checks=_rows(officer, "effect", span),
        at_once=frozenset(row["event"] for row in _rows(officer, "handled_at_once", span) if row["at_once"]),
    )


def _rows(officer: httpx.Client, indicator: str, span: Mapping[str, str]) -> list[Mapping[str, Any]]:
    table = _get(officer, f"/api/operations/indicators/operations.{indicator}/rows", **span)
    return [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]


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
    name = f"outcome_{said.net}_{came.seed}_{came.arm}"
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
    for means, (kept, of) in kept_promises(came.checks).items():
        print(f"#   {came.arm} {means}: {kept} of {of} did what they promise")
    _say(f"{name}_delay", came.delay_s, "s/veh")
    _say(f"{name}_arrived", came.arrived, "veh")
    for kind in sorted({each.kind for each in found}):
        ours: Sequence[Found] = [each for each in found if each.kind == kind]
        hit = sum(bool(each.alarms) for each in ours)
        print(f"#   {came.arm} {kind}: {hit} of {len(ours)} found")


def compare(name: str, came: Mapping[str, Came]) -> None:
    """How long incidents that somebody can clear stood, arm by arm, over those that happened in all of them."""
    if len(came) < 2:
        return
    stood = {arm: standing_s(each.truth, each.day_s) for arm, each in came.items()}
    both = set.intersection(*(set(each) for each in stood.values()))
    _say(f"{name}_same_incidents", len(both), "incidents")
    for arm, each in stood.items():
        _say(f"{name}_same_incidents_stood_{arm}", _mean([each[number] for number in both]), "s")
        _say(f"{name}_delay_{arm}", came[arm].delay_s, "s/veh")


@contextmanager
def _officer(city: RunningCity) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=city.url, headers={"X-Citybrain": "1"}, timeout=60) as client:
        client.post("/api/session", json={"name": "operator", "password": city.password}).raise_for_status()
        yield client


def _retire_all(officer: httpx.Client, *, by_hand: bool) -> None:
    """Take every playbook out of force; by hand those of traffic come back with an officer asked about every line."""
    for each in _get(officer, "/api/operations/playbooks"):
        path = f"/api/operations/playbooks/{each['id']}"
        if each["active"] is None:
            continue
        officer.post(f"{path}/retire").raise_for_status()
        if by_hand and each["id"].startswith("traffic."):
            lines = [{**line, **ASKED} for line in each["body"]["lines"] if line["approval"] != "two"]
            put = officer.put(path, json={**each["body"], "lines": lines}).raise_for_status().json()
            officer.post(f"{path}/activate", json={"version": put["version"]}).raise_for_status()


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
    parser.add_argument("--kinds", nargs="+", default=[], help="Kinds of incidents; those of the day if none are said.")
    parser.add_argument("--seeds", nargs="+", type=int, default=[3, 4, 5])
    parser.add_argument("--by-hand-s", type=float, default=BY_HAND_S, help="City seconds from an event to an order.")
    parser.add_argument("--speed", type=float, default=15.0)
    parser.add_argument("--results", type=Path, default=None, help="File that keeps arms that were run.")
    parser.add_argument("--leaves", nargs="*", default=list(LEAVES), help="Means that the officer never orders.")
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    return parser.parse_args()


if __name__ == "__main__":
    main()
