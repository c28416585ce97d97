// SPDX-License-Identifier: Apache-2.0
// The traffic desks: levels, heads, rows, comparison and lines.
import { describe, expect, it } from "vitest";
import type { CityState, Network, OrderView, Signal } from "@/api/types";
import { compare } from "@/apps/traffic/comparison";
import { knownBy } from "@/apps/traffic/detail";
import { headState, LEVEL_COLOURS, levelColour, levelKey } from "@/apps/traffic/levels";
import { approaches, changes, roadRows, sideOf } from "@/apps/traffic/rows";
import { continued, fromWire, upTo } from "@/apps/traffic/series";

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16) / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * (r ?? 0) + 0.7152 * (g ?? 0) + 0.0722 * (b ?? 0);
}
const contrast = (a: string, b: string): number => (Math.max(luminance(a), luminance(b)) + 0.05) / (Math.min(luminance(a), luminance(b)) + 0.05);

describe("levels of flow", () => {
  it.each([1, 2, 3, 4, 5])("level %d stands out from the ground by 3:1", (level) => {
    expect(contrast(levelColour(level), "#0b1620")).toBeGreaterThanOrEqual(3);
  });
  it("draws no data dimmer than any level", () => {
    expect(LEVEL_COLOURS.slice(1).every((colour) => luminance(colour) > luminance(LEVEL_COLOURS[0]))).toBe(true);
  });
  it.each([[-1, "level.0"], [0, "level.0"], [5, "level.5"], [6, "level.0"]])("level %d is worded %s", (level, key) => {
    expect(levelKey(level)).toBe(key);
  });
});

describe("a signal head", () => {
  it.each([
    ["GGrr", [0, 1], 3, "green"], ["gGrr", [0], 3, "a green that gives way is green"], ["yyrr", [0], 2, "amber"], ["rrGG", [0, 1], 1, "red"],
    ["rGrr", [0, 1], 3, "one open movement opens the head"], ["urrr", [0], 2, "red and amber together"], ["OOOO", [0], 0, "switched off"],
    ["oooo", [0], 2, "blinking amber"], ["", [0], 0, "unknown"], ["GG", [7], 0, "a link that is not there"],
  ])("in state %s with links %j is %d", (state, links, expected, why) => {
    expect(headState(state, links), why).toBe(expected);
  });
});

const signal = (heads: Signal["heads"]): Signal => ({ id: "s", name: {}, point: [11, 48], heads });
describe("approaches", () => {
  const north: Signal["heads"][number] = { line: [[11, 48.001], [11.0001, 48.001]], links: [0], lane: "urn:ngsi-ld:RoadLane:a_0" };
  it("joins the lanes of one road and says from where it comes", () => {
    const found = approaches(signal([north, { ...north, links: [1], lane: "urn:ngsi-ld:RoadLane:a_1" }]), "Gr");
    expect(found).toMatchObject([{ side: "n", heads: [{ state: 3 }, { state: 1 }] }]);
  });
  it("believes the road's own direction more than the place of the stop line", () => {
    const road = { id: "r", name: {}, line: [[11.01, 48], [11, 48]] as [number, number][], lanes: 1, free_kmh: 50, length_m: 100 };
    expect(sideOf(signal([north]), north.line, road)).toBe("e");
  });
});

const ROAD = { name: {}, line: [], lanes: 1, free_kmh: 50, length_m: 100 };
describe("rows", () => {
  it("puts the worst road first and roads without data last", () => {
    const network: Network = { roads: ["a", "b", "c"].map((id) => ({ ...ROAD, id })), junctions: [], signals: [] };
    const state = { road_levels: [0, 1, 5], road_speeds: [null, 45, 5] } as unknown as CityState;
    expect(roadRows(network, state).map((row) => row.road.id)).toEqual(["c", "b", "a"]);
  });
});

it("shows orders that changed something, and all that were refused", () => {
  const order = (id: string, stage: number, state = "executed"): OrderView => ({ id, means: "m", parameters: { stage }, outcome: { state } }) as unknown as OrderView;
  const orders = [order("6", 2), order("5", 2, "refused"), order("4", 2), order("3", 1), order("2", 1), order("1", 1)];
  expect(changes(orders).map((one) => one.id)).toEqual(["5", "4", "1"]);
});

describe("brain against fixed", () => {
  it.each([
    [0.8, true, "better"], [1.2, true, "worse"], [1.2, false, "better"], [0.8, false, "worse"], [1.004, true, "same"], [null, true, "unknown"], [Infinity, true, "unknown"],
  ] as const)("a ratio of %s, lower better %s, is %s", (ratio, lower, verdict) => {
    expect(compare({ ratio, lower_is_better: lower }).verdict).toBe(verdict);
  });
});

describe("lines", () => {
  it("grow by newer values only and can be cut at a time", () => {
    const line: [number, number][] = [[1, 5], [2, 6]];
    expect(continued(line, 2, 9)).toBe(line);
    expect(continued(line, 3, 9)).toHaveLength(3);
    expect(upTo(line, 1)).toEqual([[1, 5]]);
    expect(fromWire({ unit: "s", arms: { brain: [["1970-01-01T00:00:01Z", 2], ["1970-01-01T00:00:02Z", null]] } })).toEqual({ brain: [[1000, 2]], fixed: [] });
  });
});

it("shows nothing in replay that was learned later", () => {
  const late = { attribute: "a", unit: "", value: 1, observed_at: "1970-01-01T01:00:00Z", received_at: "", batch_id: null };
  const detail = { entity: {}, now: [late], orders: [], events: [], parts: [{ id: "p", type: "", name: {}, now: [late, { ...late, observed_at: "1970-01-01T00:00:00Z" }] }] } as unknown as Parameters<typeof knownBy>[0];
  const known = knownBy(detail, 60_000);
  expect([known.now.length, known.parts[0]?.now.length]).toEqual([0, 1]);
});
