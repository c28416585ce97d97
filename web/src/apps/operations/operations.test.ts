// SPDX-License-Identifier: Apache-2.0
// The operation centre's pure parts: timeline, runs, the wall, figures, the field, what fits an event, looks.
import { describe, expect, it } from "vitest";
import type { AlarmPage, AlarmStory } from "@/alarms/types";
import { fits, resourceOf, roadOf } from "@/apps/operations/field";
import type { Field } from "@/apps/operations/field";
import { spanOf } from "@/apps/operations/figures";
import { fitting, pointOf } from "@/apps/operations/fitting";
import { can, stateOf, stepsOf, thoughtsOf, verdictsOf, versionOf } from "@/apps/operations/runs";
import { ofCity } from "@/apps/operations/timeline";
import type { Run, RunLine, Suggestion } from "@/apps/operations/types";
import { partsOf, shiftAt, stacked, standFor, tokenOf } from "@/apps/operations/wall";
import { coloured, recoloured } from "@/kit/colours";
import type { Means } from "@/orders/types";
import { lookOf, themeOf } from "@/shell/theme";

const at = (minute: number): string => new Date(Date.parse("2026-11-26T08:00:00Z") + minute * 60_000).toISOString();

it("tells the story of an alarm in the order in which it happened", () => {
  const order = { id: "o", at: at(2), outcome: { state: "executed", at: at(3) } };
  const story = { at: at(0), ended_at: at(9), signs: [{ kind: "k", entity_id: "e", at: at(1) }], orders: [order] } as unknown as AlarmStory;
  expect(ofCity(story).map((entry) => entry.what)).toEqual(["began", "sign", "order", "outcome", "ended"]);
});

describe("a run", () => {
  const line = (number: number, facts: Partial<RunLine>): RunLine => ({ number, part: 0, state: "executed", version: 1, verdict: null, ...facts }) as RunLine;
  const run = { lines: [line(2, { state: "proposed", version: 3 }), line(2, { part: 1, state: "proposed", version: 2 }), line(1, { verdict: "helped" }), line(3, { state: "failed" })] } as Run;
  it("shows a line on several entities as one step, in order", () => {
    expect(stepsOf(run).map((step) => [step.number, step.lines.length, stateOf(step), versionOf(step)])).toEqual([[1, 1, "executed", 1], [2, 2, "proposed", 3], [3, 1, "failed", 1]]);
  });
  it("lets confirm what is proposed, and try again what failed", () => {
    const [, proposed, failed] = stepsOf(run);
    expect([proposed && can("confirm", proposed), proposed && can("skip", proposed), failed && can("retry", failed), failed && can("confirm", failed)]).toEqual([true, true, true, false]);
  });
  it("counts what helped", () => { expect(verdictsOf(run)).toEqual({ helped: 1, missed: 0, unknown: 0 }); });
  it("tries beforehand only what has something to act on", () => {
    const suggestion = { lines: [{ means: "a", entity_id: "e", parameters: {}, code: "" }, { means: "b", entity_id: "", parameters: {}, code: "operations.line_without_target" }] } as unknown as Suggestion;
    expect(thoughtsOf(suggestion).map((one) => one.means)).toEqual(["a"]);
  });
});

describe("the wall", () => {
  it("shows the worst first and of those the oldest, as they were asked for", () => {
    const page = (ids: string[], total: number): AlarmPage => ({ rows: ids.map((id) => ({ id })), total, counts: { severity: {}, handling: {} }, next: null }) as unknown as AlarmPage;
    expect([stacked([page(["I-old", "I-new"], 2), page(["II"], 40)]).rows.map((row) => row.id), stacked([page(["a"], 2), page([], 40)]).total]).toEqual([["I-old", "I-new", "II"], 42]);
  });
  it("shows of a wave one row that stands for all of it", () => {
    const pages = [{ rows: [{ id: "a", group: "g", group_size: 12 }, { id: "b", group: "g", group_size: 12 }, { id: "c", group: null, group_size: 1 }], total: 13 }] as unknown as AlarmPage[];
    const { rows } = stacked(pages);
    expect([rows.map((row) => row.id), standFor(rows)]).toEqual([["a", "c"], 13]);
  });
  it("moves by a few pixels, and comes back", () => {
    expect([shiftAt(0), shiftAt(24)]).toEqual([[0, 0], [0, 0]]);
    expect(new Set([0, 3, 6, 9, 12, 15, 18, 21].map((minute) => shiftAt(minute).join())).size).toBe(8);
  });
  it.each([["", ["alarms", "map", "figures"]], ["map", ["map"]], ["figures,alarms", ["alarms", "figures"]], ["nonsense", ["alarms", "map", "figures"]]])("asked for %s shows %j", (asked, parts) => { expect(partsOf(asked)).toEqual(parts); });
});

it("counts back from the moment that is shown", () => {
  expect(spanOf("24h", Date.parse(at(0)))).toEqual({ since: "2026-11-25T08:00:00.000Z", until: "2026-11-26T08:00:00.000Z" });
});

describe("the field", () => {
  it("reads a team as the dispatcher does", () => {
    const free = resourceOf({ id: "urn:ngsi-ld:Team:tow-1", type: "Team", values: { skill: "tow", load: 1, capacity: 2, location: { type: "Point", coordinates: [8, 50] } }, age_s: 90 });
    expect([free.name, free.duty, free.skills, free.load, free.capacity, free.point, free.ageS]).toEqual(["tow-1", "free", "tow", 1, 2, [8, 50], 90]);
    const dutyOf = (values: Record<string, unknown>): string => resourceOf({ id: "a", type: "Vehicle", values, age_s: null }).duty;
    expect([dutyOf({ serviceStatus: "onRoute" }), dutyOf({ status: "on holiday" })]).toEqual(["free", "off"]);
  });
  it("shows in replay nothing of the present, and live nothing of the past", () => {
    const field = (at: string | null): Field => ({ at, teams: [], changes: [] });
    expect([fits(field(null), true), fits(field(null), false), fits(field("2026-03-02T10:00:00Z"), true), fits(field("2026-03-02T10:00:00Z"), false), fits(null, true)]).toEqual([true, false, false, true, false]);
  });
  it("finds the road of a lane", () => {
    expect([roadOf("urn:ngsi-ld:RoadLane:a_1_0"), roadOf("urn:ngsi-ld:RoadSegment:a_1")]).toEqual(["urn:ngsi-ld:RoadSegment:a_1", "urn:ngsi-ld:RoadSegment:a_1"]);
  });
});

it("offers what fits anything near, and finds a point on any geometry", () => {
  const means = [{ name: "road", entity_types: ["RoadSegment"] }, { name: "pump", entity_types: ["Pump"] }, { name: "any", entity_types: [] }] as unknown as Means[];
  expect(fitting(means, [{ id: "a", type: "RoadSegment", name: "" }]).map((one) => one.name)).toEqual(["road", "any"]);
  expect([pointOf({ geometry: null }), pointOf({ geometry: { type: "Point", coordinates: [1, 2] } }), pointOf({ geometry: { type: "MultiLineString", coordinates: [[[1, 2], [3, 4], [5, 6]]] } })]).toEqual([null, [1, 2], [3, 4]]);
});

describe("a look", () => {
  it("is by itself dark in the centre and light at desks, and high in contrast for who needs it", () => {
    expect([themeOf("centre", "auto", false), themeOf("desk", "auto", false), themeOf("desk", "auto", true), themeOf("centre", "light", true)]).toEqual(["dark", "light", "contrast", "light"]);
    expect([lookOf("contrast"), lookOf("pink"), lookOf(null)]).toEqual(["contrast", "auto", "auto"]);
  });
  it("changes colours however deep they stand, and nothing else", () => {
    const paint = ["case", ["get", "sel"], "#3ec6c0", ["match", 1, 2, "#0B1620", "#123456"]];
    expect(recoloured(paint, "light")).toEqual(["case", ["get", "sel"], "#0b7a75", ["match", 1, 2, "#f5f7f9", "#123456"]]);
    expect([recoloured(paint, "dark") === paint, coloured("#e8eef3", "contrast")]).toEqual([true, "#ffffff"]);
  });
});

it("reads the token of a wall from the fragment", () => {
  expect(["#token=a-b_c", "#token=", "#", "", "#look=dark&token=x"].map(tokenOf)).toEqual(["a-b_c", "", "", "", "x"]);
});
