# SPDX-License-Identifier: Apache-2.0
"""From source to screen: how long a value that a source sends over NGSI-LD takes until the open centre shows it.

A city without a simulator in a process of its own, its pool filled with streets; a feed sends the speed of each street
once a second in batches over HTTP, each value a number that says which second it is; real Chromium has the centre open
with one street's drawer. Three times are taken for each value, from before its batch is written to the socket:

- handed: the centre's own handlers of the stream have run on the message that has it (every street, by its row);
- painted: the second animation frame after that has begun, so what followed from it is on the screen;
- read: the drawer's text shows it (one street, by what stands in the document).

The baseline is a bare echo: the same bytes at the same pace to a server of 40 lines that passes each batch on at once,
and an empty page that parses it; so the ratio says what the city adds to HTTP, the browser and this machine.
Needs Chromium and built pages. `python bench/bench_source_to_screen.py [--updates 1000] [--seconds 30] [--batch 100]`
"""

import argparse
import asyncio
import multiprocessing
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from shutil import which
from typing import Any

import httpx
import msgspec
import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from citybrain.kernel.clock import utc_now
from tests.scenarios.city import free_port, running
from web.e2e.conftest import CHROMIUM

GOAL_MS = 500.0
WATCHED = 0
"""The street whose drawer is open."""
AROUND = 100
"""Values go from 1 to this and begin again: long enough that none is taken for one of an earlier round."""
SETTLE_S = 5.0
LINGER_S = 4.0
"""So long after the last value the page is still listened to; what is not seen by then counts as never shown."""
SYNCING_S = 60.0

# Before the page's own code: every EventSource tells when its listeners are done with a message, and when that is
# painted. `seen` has for each street the newest value and for each new one [place, value, handed, painted].
EARS = """
(() => {
  const Plain = window.EventSource;
  const rows = [], last = [];
  const note = (values) => {
    const handed = performance.timeOrigin + performance.now();
    const fresh = [];
    values.forEach((value, place) => {
      if (value !== null && value !== last[place]) { last[place] = value; fresh.push([place, value, handed, null]); }
    });
    if (fresh.length === 0) return;
    rows.push(...fresh);
    requestAnimationFrame(() => requestAnimationFrame(() => {
      const painted = performance.timeOrigin + performance.now();
      for (const row of fresh) row[3] = painted;
    }));
  };
  window.EventSource = class extends Plain {
    addEventListener(name, heard, ...more) {
      super.addEventListener(name, (message) => {
        heard(message);
        if (name === "state") note(JSON.parse(message.data).road_speeds);
      }, ...more);
    }
  };
  const read = [];
  let shown = "";
  const look = () => {
    const text = document.querySelector("article.drawer dl.figures dd")?.firstChild?.textContent ?? "";
    if (text !== shown) { shown = text; read.push([Number(text), performance.timeOrigin + performance.now()]); }
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });
  window.__toScreen = { rows, read };
})();
"""

ECHO_PAGE = """<!doctype html><title>echo</title><p>0</p><script>
const source = new EventSource("/stream");
source.addEventListener("state", (message) => {
  const told = JSON.parse(message.data);
  document.querySelector("p").textContent = told.road_speeds.length;
});
</script>"""


class Feed:
    """Sends at an even pace, in a thread of its own; `sent` is [when, place, value] of every value."""

    def __init__(self, url: str, streets: int, *, batch: int, rounds: int) -> None:
        self.sent: list[tuple[float, int, int]] = []
        self.late_s = 0.0
        self.answered_s: list[float] = []
        self._url, self._streets, self._batch, self._rounds = url, streets, batch, rounds
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self) -> None:
        """Wait for the end."""
        self._thread.join()

    def _run(self) -> None:
        begins = range(0, self._streets, self._batch)
        started_s = time.perf_counter()
        with httpx.Client(timeout=30) as client:
            for turn in range(self._rounds * len(begins)):
                due_s = started_s + turn / len(begins)
                time.sleep(max(0.0, due_s - time.perf_counter()))
                self.late_s = max(self.late_s, time.perf_counter() - due_s)
                value, begin = 1 + turn // len(begins) % AROUND, begins[turn % len(begins)]
                places = range(begin, min(begin + self._batch, self._streets))
                at, start_s = utc_now(), time.perf_counter()
                body = msgspec.json.encode([told(place, value, at) for place in places])
                client.post(self._url, content=body, headers={"content-type": "application/json"}).raise_for_status()
                self.answered_s.append(time.perf_counter() - start_s)
                self.sent += [(at.timestamp() * 1000, place, value) for place in places]


def street_id(place: int) -> str:
    """Named so that the city lists them in their order."""
    return f"urn:ngsi-ld:RoadSegment:screen-{place:06}"


def told(place: int, value: int, at: datetime) -> dict[str, Any]:
    """What a source says of a street."""
    observed_at = at.isoformat().replace("+00:00", "Z")
    speed = {"type": "Property", "value": value, "observedAt": observed_at}
    return {"id": street_id(place), "type": "RoadSegment", "averageVehicleSpeed": speed}


def street(place: int) -> dict[str, Any]:
    """A street of a grid, all that the apps ask of one."""
    lon, lat = 120.0 + place % 40 * 0.002, 30.0 + place // 40 * 0.002
    line = {"type": "LineString", "coordinates": [[lon, lat], [lon + 0.0015, lat]]}
    facts = {"length": 150.0, "maximumAllowedSpeed": 120.0, "totalLaneNumber": 2}
    return {
        **told(place, 0, utc_now()),
        "location": {"type": "GeoProperty", "value": line},
        **{name: {"type": "Property", "value": value} for name, value in facts.items()},
    }


def measured(name: str, sent: Sequence[tuple[float, int, int]], seen: Sequence[Sequence[float]], column: int) -> float:
    """One line of figures; answers with the 95th percentile in ms. A value belongs to the newest batch that had it."""
    came: dict[tuple[int, int], list[float]] = {}
    for row in seen:
        if row[column] is not None:
            came.setdefault((int(row[0]), int(row[1])), []).append(row[column])
    waits, missed = [], 0
    for at, place, value in sent:
        after = [each for each in came.get((place, value), ()) if each >= at]
        if after:
            waits.append(min(after) - at)
        else:
            missed += 1
    p50, p95, p99 = np.percentile(waits, (50, 95, 99)) if waits else (np.nan,) * 3
    print(f"{name} n {len(waits)} p50 {p50:.0f} ms p95 {p95:.0f} ms p99 {p99:.0f} ms never {missed}", flush=True)
    return float(p95)


def of_city(browser: Browser, chosen: argparse.Namespace) -> tuple[float, float]:
    """The 95th percentiles of handed and painted, with the city in between."""
    settings = {"CITYBRAIN_PUBLIC_MAY": "ngsild.write"}
    with (
        tempfile.TemporaryDirectory(prefix="citybrain-bench-") as folder,
        running(Path(folder) / "data", scenario="none", speed="1", variables=settings) as city,
    ):
        operations = f"{city.url}/ngsi-ld/v1/entityOperations"
        for begin in range(0, chosen.updates, 500):
            body = [street(place) for place in range(begin, min(begin + 500, chosen.updates))]
            httpx.post(f"{operations}/create", json=body, timeout=60).raise_for_status()
        until_s = time.monotonic() + SYNCING_S
        while len(roads := city.get("/api/network")["roads"]) < chosen.updates:
            if time.monotonic() > until_s:
                raise SystemExit(f"the city has {len(roads)} of {chosen.updates} streets")
            time.sleep(0.5)
        places = [int(road["id"].rsplit("-", 1)[1]) for road in roads]
        page = browser.new_page(viewport={"width": 1920, "height": 1080}, bypass_csp=True)
        page.add_init_script(EARS)
        page.goto(f"{city.url}/?sel={street_id(WATCHED)}")
        page.wait_for_selector("article.drawer dl.figures dd")
        feed, rows, read = listened(page, f"{operations}/update", chosen)
        page.close()
    seen = [(places[int(row[0])], *row[1:]) for row in rows]
    handed = measured("city.handed", feed.sent, seen, 2)
    painted = measured("city.painted", feed.sent, seen, 3)
    of_one = [sent for sent in feed.sent if sent[1] == WATCHED]
    measured("city.read", of_one, [(WATCHED, value, at) for value, at in read], 2)
    print(
        f"city.feed late {feed.late_s * 1000:.0f} ms, answered p95 {np.percentile(feed.answered_s, 95) * 1000:.0f} ms"
    )
    return handed, painted


def of_echo(browser: Browser, chosen: argparse.Namespace) -> tuple[float, float]:
    """The same of the bare echo."""
    with echoing() as url:
        page = browser.new_page(viewport={"width": 1920, "height": 1080})
        page.add_init_script(EARS)
        page.goto(f"{url}/")
        feed, rows, _ = listened(page, f"{url}/update", chosen)
        page.close()
    return measured("echo.handed", feed.sent, rows, 2), measured("echo.painted", feed.sent, rows, 3)


def listened(page: Page, url: str, chosen: argparse.Namespace) -> tuple[Feed, list[Any], list[Any]]:
    """Feed and listen; answers with what was sent and what the page saw."""
    page.wait_for_timeout(SETTLE_S * 1000)
    feed = Feed(url, chosen.updates, batch=chosen.batch, rounds=chosen.seconds)
    feed.start()
    page.wait_for_timeout((chosen.seconds + LINGER_S) * 1000)
    feed.join()
    found = page.evaluate("window.__toScreen")
    return feed, found["rows"], found["read"]


@contextmanager
def echoing() -> Iterator[str]:
    """The bare server, in a process of its own."""
    port = free_port()
    process = multiprocessing.get_context("spawn").Process(target=echo, args=(port,), daemon=True)
    process.start()
    until_s = time.monotonic() + SYNCING_S
    while time.monotonic() < until_s:
        try:
            httpx.get(f"http://127.0.0.1:{port}/")
            break
        except httpx.TransportError:
            time.sleep(0.1)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.join(10)


class Echo:
    """Passes each batch on to whoever has `/stream` open, as one row of all streets, as the city tells it."""

    def __init__(self) -> None:
        self._values: list[int | None] = []
        self._streams: set[asyncio.StreamWriter] = set()

    async def serve(self, port: int) -> None:
        """For ever."""
        server = await asyncio.start_server(self._answer, "127.0.0.1", port)
        await server.serve_forever()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            if head.startswith(b"get /stream"):
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-store\r\n\r\n")
                self._streams.add(writer)
                return
            length = re.search(rb"content-length: (\d+)", head)
            if length:
                self._pass_on(await reader.readexactly(int(length[1])))
            page = ECHO_PAGE.encode()
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: %d\r\n\r\n" % len(page) + page)

    def _pass_on(self, body: bytes) -> None:
        for each in msgspec.json.decode(body):
            place = int(each["id"].rsplit("-", 1)[1])
            self._values.extend([None] * (place + 1 - len(self._values)))
            self._values[place] = each["averageVehicleSpeed"]["value"]
        row = msgspec.json.encode({"road_speeds": self._values})
        for stream in self._streams:
            stream.write(b"event: state\ndata: %s\n\n" % row)


def echo(port: int) -> None:
    """The bare server."""
    asyncio.run(Echo().serve(port))


def main() -> None:
    """Print `name value unit`, city and echo in turn."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--updates", type=int, default=1_000)
    arguments.add_argument("--batch", type=int, default=100)
    arguments.add_argument("--seconds", type=int, default=30)
    arguments.add_argument("--repeats", type=int, default=1)
    chosen = arguments.parse_args()
    program = which("chromium")
    if program is None:
        raise SystemExit("no Chromium here: apt-get install chromium fonts-noto-cjk")
    with sync_playwright() as playwright:
        for _ in range(chosen.repeats):
            browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM)
            print(f"# {chosen.updates} updates/s for {chosen.seconds} s, load {os.getloadavg()[0]:.1f}", flush=True)
            bare_handed, bare_painted = of_echo(browser, chosen)
            handed, painted = of_city(browser, chosen)
            print(f"ratio.p95 handed {handed / bare_handed:.1f} painted {painted / bare_painted:.1f}")
            print(f"goal p95 {GOAL_MS:.0f} ms: {'met' if painted < GOAL_MS else 'missed'}", flush=True)
            browser.close()


if __name__ == "__main__":
    main()
