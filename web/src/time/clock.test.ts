// SPDX-License-Identifier: Apache-2.0
// The clock: replay moves at its rate, stops at the end, and live time never runs far ahead of what was heard.
import { describe, expect, it } from "vitest";
import { advance, cityNow, daysOf, HOLD_MS, neighbour, spanOf, within } from "@/time/clock";

const SPAN = { fromMs: 1_000, toMs: 100_000 };

describe("the replay clock", () => {
  it.each([
    [1, 1000, 11_000, false, "one second at 1x"],
    [60, 1000, 70_000, false, "one second at 60x is a minute"],
    [60, 2000, 100_000, true, "the end of what is known stops it"],
    [1, 0, 10_000, false, "no time has passed"],
  ])("at rate %d after %d ms stands at %d", (rate, elapsed, atMs, ended, why) => {
    expect(advance(10_000, rate, elapsed, SPAN), why).toEqual({ atMs, ended });
  });

  it("stays within what is kept", () => {
    expect([within(5, SPAN), within(5_000, SPAN), within(500_000, SPAN), within(5, null)]).toEqual([1_000, 5_000, 100_000, 5]);
  });

  it("has no span while nothing is kept", () => {
    expect(spanOf({ from: null, to: null })).toBeNull();
    expect(spanOf({ from: "2026-11-23T15:00:00Z", to: "2026-11-23T16:00:00Z" })).toEqual({ fromMs: Date.UTC(2026, 10, 23, 15), toMs: Date.UTC(2026, 10, 23, 16) });
  });

  it("jumps to the neighbouring event and not to the one it stands on", () => {
    const times = [3_000, 9_000, 20_000];
    expect([neighbour(times, 9_000, 1), neighbour(times, 9_000, -1), neighbour(times, 20_000, 1), neighbour([], 0, -1)]).toEqual([20_000, 3_000, null, null]);
  });
});

it("offers the days that were kept, and no others", () => {
  const day = (date: number): { begins_at: string; ends_at: string } => ({ begins_at: `2026-11-${date}T15:00:00Z`, ends_at: `2026-11-${date}T16:00:00Z` });
  const span = { fromMs: Date.UTC(2026, 10, 24, 15, 30), toMs: Date.UTC(2026, 10, 25, 15, 30) };
  expect(daysOf(span, [day(26), day(25), day(24), day(23)])).toEqual([Date.UTC(2026, 10, 24, 15), Date.UTC(2026, 10, 25, 15)]);
  expect(daysOf(null, [day(24)])).toEqual([]);
});

describe("the live clock", () => {
  it.each([
    [10, 500, 5_000, "runs at the city's speed"],
    [10, 60_000, 10 * HOLD_MS, "holds when nothing is heard any more"],
    [null, 400, 0, "does not guess a speed that has no number"],
    [1, -50, 0, "never runs backwards"],
  ])("at speed %s after %d ms has moved %d ms", (speed, since, moved, why) => {
    expect(cityNow(1_000_000, speed, since) - 1_000_000, why).toBe(moved);
  });
});
