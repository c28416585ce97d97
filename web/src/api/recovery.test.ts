// SPDX-License-Identifier: Apache-2.0
// The stream heals itself: every way to break leads back to live, within 5 s of a server's restart.
import { describe, expect, it } from "vitest";
import { FRESH, next, QUIET_AFTER_MS, RETRY_MS } from "@/api/recovery";
import type { Effect, Happening, Link } from "@/api/recovery";

const LIVE: Link = { ...FRESH, state: "live", heardAt: 1000, since: 1000 };

describe("one step", () => {
  it.each<[Link["state"], Happening, Link["state"], Effect[], string]>([
    ["opening", "opened", "syncing", ["sync"], "an open line asks for the whole state first"],
    ["syncing", "synced", "live", [], "then it is live"],
    ["syncing", "sync_failed", "lost", ["close"], "a state that does not come is a lost line"],
    ["live", "broke", "lost", ["close"], "a broken line is closed"],
    ["lost", "broke", "lost", [], "it cannot break twice"],
    ["lost", "synced", "lost", [], "a late answer does not revive a closed line"],
    ["live", "heard", "live", [], "words keep it alive"],
    ["live", "synced", "live", [], "another sync changes nothing"],
  ])("%s, %s -> %s", (from, happening, to, effects, why) => {
    const [link, done] = next({ ...LIVE, state: from }, happening, 2000);
    expect([link.state, done], why).toEqual([to, effects]);
  });

  it("takes a silent line for broken, but not before two pings are missed", () => {
    expect(next(LIVE, "tick", 1000 + QUIET_AFTER_MS)[0].state).toBe("live");
    expect(next(LIVE, "tick", 1001 + QUIET_AFTER_MS)).toMatchObject([{ state: "lost" }, ["close"]]);
  });

  it("remembers since when it is lost through all its tries", () => {
    let [link] = next(LIVE, "broke", 5000);
    [link] = next(link, "tick", link.retryAt);
    [link] = next(link, "broke", link.retryAt + 10);
    expect(link).toMatchObject({ state: "lost", tries: 2, since: 5000 });
  });
});

describe("a server that was away", () => {
  function lostThenBack(awayMs: number): number {
    let link = next(LIVE, "broke", 0)[0];
    for (let now = 0; now < awayMs + 10_000; now += 50) {
      const [after, effects] = next(link, "tick", now);
      link = after;
      if (!effects.includes("open")) continue;
      link = next(link, now >= awayMs ? "opened" : "broke", now)[0];
      if (link.state === "syncing") return next(link, "synced", now)[0].state === "live" ? now - awayMs : Infinity;
    }
    return Infinity;
  }

  it.each([100, 3_000, 20_000, 300_000])("for %d ms is found within 5 s of its return", (awayMs) => {
    expect(lostThenBack(awayMs)).toBeLessThanOrEqual(Math.max(...RETRY_MS) + 50);
    expect(lostThenBack(awayMs)).toBeLessThan(5000);
  });
});
