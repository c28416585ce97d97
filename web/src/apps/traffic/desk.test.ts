// SPDX-License-Identifier: Apache-2.0
// The traffic desk: gains, junctions that are wanted, missions on the map, corridors, before and after, times of the city.
import { describe, expect, it } from "vitest";
import type { CityState, Crew, EventView, Signal } from "@/api/types";
import { boxOf, saidOf } from "@/apps/traffic/before-after";
import { driven, frameOf, isGreen, speedAt, summaryOf, ticks, timeAt, ways, xOf, yOf } from "@/apps/traffic/corridor";
import { worthOf } from "@/apps/traffic/gains";
import { lasting, missionFeatures, missionKey, missionRows, missionsIn, missionsOf } from "@/apps/traffic/missions";
import { deskRows, doubted, together, wantedRows } from "@/apps/traffic/signal-desk";
import type { Corridor, Gain, Mission, ShadowReport } from "@/apps/traffic/types";
import { localOf, momentOf } from "@/time/zone";

const gain = (facts: Partial<Gain>): Gain => ({ windows: 100, came: 50, plan_s_per_vehicle: 30, brain_s_per_vehicle: 20, measured_s_per_vehicle: 30, model_error: 0.05, gain: 0.33, low: 0.2, high: 0.4, ...facts });

it.each([
  [{}, "gains"], [{ windows: 0, gain: null }, "none"], [{ low: null, high: null }, "few"], [{ low: -0.1 }, "unsure"], [{ low: -0.3, high: -0.1 }, "loses"], [{ model_error: -0.3 }, "model_off"], [{ windows: 10 }, "short"],
] as [Partial<Gain>, string][])("a comparison with %j is worth: %s", (facts, worth) => {
  expect(worthOf(gain(facts))).toBe(worth);
});

describe("the junctions' desk", () => {
  const row = (id: string) => ({ signal: { id, name: {}, point: [0, 0], heads: [] } as Signal, state: "", heads: [], open: 0 });
  const report = { junctions: [
    { id: "a", signals: ["a", "b"], mode: "shadow", says: "plan", gain: gain({ came: 10 }) }, { id: "c", signals: ["c"], mode: "brain", says: "brain", gain: gain({ came: 90 }) },
  ] } as unknown as ShadowReport;
  const events = [{ kind: "traffic.sensor_doubted", entity_id: "c", ended_at: null }, { kind: "traffic.sensor_doubted", entity_id: "a", ended_at: "x" }] as EventView[];
  const rows = deskRows(["a", "b", "c", "d"].map(row), report, doubted(events), (id) => `Junction ${id}`);
  const none = { mode: "", doubt: "", worth: "", words: "" };
  it("puts first where most is saved, and keeps those of which nothing is known", () => {
    expect(wantedRows(rows, none).map((one) => one.id)).toEqual(["c", "a", "b", "d"]);
  });
  it.each([[{ mode: "shadow" }, ["a", "b"]], [{ doubt: "yes" }, ["c"]], [{ words: "JUNCTION D" }, ["d"]], [{ worth: "gains", doubt: "no" }, ["a", "b"]]])("shows for %j %j", (wanted, expected) => {
    expect(wantedRows(rows, { ...none, ...wanted }).map((one) => one.id)).toEqual(expected);
  });
  it("marks with a signal those that act as one with it", () => {
    expect(together(rows, new Set(["b", "c"]))).toEqual(["a", "b", "c"]);
  });
});

describe("missions", () => {
  const mission = (facts: Partial<Mission>): Mission => ({
    id: "urn:ngsi-ld:Mission:1", state: "under_way", urgency: 2, begun_at: "2026-11-25T08:00:00Z", eta_s: 65, geometry: { type: "LineString", coordinates: [[0, 0], [1, 1]] }, position: { lon: 0.5, lat: 0.5, road: "r", speed_kmh: 40 },
    route: [], junctions: [{ signal: "s1", state: "passed", eta_s: null, queue: null }, { signal: "s2", state: "open", eta_s: 12.4, queue: 1 }, { signal: "unknown", state: "ahead", eta_s: 30, queue: 0 }], ...facts,
  } as Mission);
  it("are drawn as way, junctions ahead with their times, and vehicle, numbered in order", () => {
    const features = missionFeatures([mission({}), mission({ state: "arrived" })], new Map([["s1", [0, 0]], ["s2", [1, 1]]]));
    expect(features.map((one) => [one.id, one.properties?.["what"], one.properties?.["words"]])).toEqual([[0, "route", undefined], [1, "open", "0:12"], [2, "vehicle", "1:05"]]);
  });
  it("stand in the order of need, those that are over last", () => {
    const rows = [mission({ id: "over", state: "cancelled", urgency: 1 }), mission({ id: "later", begun_at: "2026-11-25T09:00:00Z" }), mission({ id: "earlier" }), mission({ id: "life", urgency: 1 })];
    expect(missionRows(rows).map((one) => one.id)).toEqual(["life", "later", "earlier", "over"]);
  });
  it("are drawn anew when one moves, and not otherwise", () => {
    const state = (lon: number): Pick<CityState, "mode" | "at" | "events"> => ({ mode: "live", at: null, events: [{ kind: "traffic.mission", at: "", evidence: mission({ position: { lon, lat: 1, road: "", speed_kmh: 1 } }) }, { kind: "traffic.congestion" }] as unknown as EventView[] });
    expect(missionsOf(state(1).events)).toHaveLength(1);
    expect([missionKey(state(1)) === missionKey(state(1)), missionKey(state(1)) === missionKey(state(2))]).toEqual([true, false]);
  });
  it("stand in replay where their vehicle was then, and tell nothing that was known later only", () => {
    const acts = [{ at: "2026-11-25T08:01:00Z", code: "a", facts: {} }, { at: "2026-11-25T08:09:00Z", code: "b", facts: {} }];
    const evidence = mission({ state: "arrived", position: null, arrives_at: "x", saved_s: 60, acts });
    const crew: Crew = { vehicle: "v", kind: "ambulance", mission: evidence.id, order: "", destination: "", state: "driving", road: "r", lon: 0.2, lat: 0.3, kmh: 50 };
    const replayed = (crews: Crew[]): Mission | undefined => missionsIn({ mode: "replay", at: "2026-11-25T08:05:00Z", crews, events: [{ kind: "traffic.mission", at: "2026-11-25T08:00:00Z", ended_at: null, evidence }] as unknown as EventView[] })[0];
    expect(replayed([crew])).toMatchObject({ state: "under_way", position: { lon: 0.2, lat: 0.3, road: "r", speed_kmh: 50 }, passed_s: 300, eta_s: null, arrives_at: null, saved_s: null, junctions: [], acts: acts.slice(0, 1) });
    expect(replayed([])).toMatchObject({ state: "assigned", position: null });
  });
  it("last minutes and seconds, and nothing where that is not known", () => {
    expect([lasting(0), lasting(59.6), lasting(3725), lasting(null)]).toEqual(["0:00", "1:00", "62:05", "–"]);
  });
});

describe("a corridor", () => {
  const at = (s: number): string => new Date(s * 1000).toISOString();
  const green = (from: number, to: number) => ({ begins_at: at(from), ends_at: at(to) });
  const corridor: Corridor = {
    since: at(0), until: at(100),
    stops: [{ signal_id: "a", name: {}, distance_m: 0, there: [green(0, 20), green(60, 80)], back: [] }, { signal_id: "b", name: {}, distance_m: 200, there: [green(30, 50)], back: [green(0, 10)] }, { signal_id: "c", name: {}, distance_m: 400, there: [green(0, 100)], back: [] }],
    stretches: [{ signal_id: "a", next_signal_id: "b", length_m: 200, limit_kmh: 50, road_id: "", speeds: [{ at: at(0), kmh: 36 }, { at: at(50), kmh: 18 }] }, { signal_id: "b", next_signal_id: "c", length_m: 200, limit_kmh: 36, road_id: "", speeds: [] }],
  };
  const frame = frameOf(corridor, { left: 100, top: 10, width: 800, height: 200 });
  it("has its first signal at the bottom and the past on the left, and finds times again", () => {
    expect([xOf(frame, 0), xOf(frame, 100_000), yOf(frame, 0), yOf(frame, 400), timeAt(frame, 500), timeAt(frame, 5)]).toEqual([100, 900, 210, 10, 50_000, 0]);
  });
  it("is driven at the speed of the time, and one waits where it is red", () => {
    expect(driven(corridor, 0)).toEqual([[0, 0], [20_000, 200], [30_000, 200], [50_000, 400]]);
    expect(driven(corridor, 60_000)).toEqual([[60_000, 0], [100_000, 200], [100_000, 200]]);
    expect(ways(corridor)).toHaveLength(2);
  });
  it("knows no speed better than the limit where nobody drove", () => {
    expect(corridor.stretches.map((one) => [speedAt(one, -5), speedAt(one, 60_000)])).toEqual([[36, 18], [36, 36]]);
  });
  it("says of each signal how much of the span was green, and its cycle", () => {
    expect([isGreen(corridor.stops[0]?.there ?? [], 20_000), isGreen(corridor.stops[0]?.there ?? [], 19_999)]).toEqual([false, true]);
    expect(summaryOf(corridor.stops[0]?.there ?? [], 0, 100_000)).toEqual({ share: 0.4, greens: 2, cycleS: 60 });
    expect(summaryOf([], 0, 100_000)).toEqual({ share: 0, greens: 0, cycleS: null });
  });
  it("has an axis of few round times", () => {
    expect(ticks(5_000, 95_000, 10)).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90].map((s) => s * 1000));
    expect(ticks(0, 3_600_000, 10).length).toBeLessThanOrEqual(11);
  });
});

describe("before and after", () => {
  const one = { before: 2, after: 1, low: -1.5, high: -0.5, lower_is_better: true };
  it.each([[{}, "better"], [{ lower_is_better: false }, "worse"], [{ high: 0.1 }, "uncertain"], [{ low: 0.2, high: 0.4 }, "worse"], [{ low: null }, "unknown"], [{ after: null }, "unknown"]])("with %j is %s", (facts, said) => {
    expect(saidOf({ ...one, ...facts })).toBe(said);
  });
  it("finds the box of a view around its middle", () => {
    const [west, south, east, north] = boxOf({ lon: 7, lat: 51, zoom: 14 }, 1000, 600);
    expect([(west + east) / 2, (south + north) / 2].map((each) => each.toFixed(3))).toEqual(["7.000", "51.000"]);
    expect(((east - west) * Math.cos((51 * Math.PI) / 180)) / (north - south)).toBeCloseTo(1000 / 600, 2);
  });
});

describe("times of the city", () => {
  it.each(["Europe/Berlin", "Asia/Shanghai", "America/New_York", "UTC"])("are read back as they were written in %s", (zone) => {
    for (const atMs of [0, Date.parse("2026-03-29T00:30:00Z"), Date.parse("2026-07-01T21:15:00Z"), Date.parse("2026-11-25T06:00:00Z")]) expect(momentOf(localOf(atMs, zone), zone)).toBe(atMs);
  });
  it("are nothing when nothing was typed", () => {
    expect([localOf(Date.parse("2026-11-25T06:00:00Z"), "Asia/Shanghai"), momentOf("", "UTC")]).toEqual(["2026-11-25T14:00", Number.NaN]);
  });
});
