// SPDX-License-Identifier: Apache-2.0
// Incidents: who may do what, to which level, with how many; what the board says; where things are.
import { describe, expect, it } from "vitest";
import { addTask, blank, blankResponse, blankTask, check, isSame, settled, whole, withoutRole } from "@/apps/emergency/plans/editing";
import { actsOf, beginsAt, board, levelsFor, minutesUntil, needsTwo, planFor, pointFrom, pointOf, rolesAsked } from "@/apps/emergency/rules";
import type { Deed, Fact, Incident, Level, Plan, Proposal } from "@/apps/emergency/types";

const plan: Plan = { id: "flood", version: 1, name: {}, kinds: ["operations.flood", "weather.*"], basis: "", roles: [], responses: { IV: { condition: {}, roles: ["commander"] }, III: { condition: {}, roles: ["traffic"] }, II: { condition: {}, roles: ["medical"] }, I: { condition: {} } } };
const incident = (may: Deed[], proposal: Proposal | null = null): Pick<Incident, "may" | "incident"> => ({ may, incident: { proposal } as Incident["incident"] });
const proposal: Proposal = { act: "raise", level: "II", reason: "", by: "wang", at: "", until: "" };

describe("an act", () => {
  it("leads to the next graver level first, or to the next milder one", () => {
    expect([levelsFor("raise", "III", plan), levelsFor("lower", "II", plan), levelsFor("close", "II", plan)]).toEqual([["II", "I"], ["III", "IV"], []]);
  });
  it.each([["raise", "III", "II", true], ["raise", "IV", "III", false], ["lower", "II", "III", true], ["lower", "III", "IV", false], ["stand_down", "I", null, true], ["stand_down", "III", null, false], ["resume", "I", null, false]] as [Deed, Level, Level | null, boolean][])("%s from %s to %s takes two: %s", (act, now, to, two) => {
    expect(needsTwo(act, now, to)).toBe(two);
  });
  it("is confirmed by another person and withdrawn by one's own", () => {
    const waits = incident(["confirm", "withdraw"], proposal);
    expect([actsOf(waits, "li"), actsOf(waits, "wang"), actsOf(incident(["raise", "stand_down"]), "li")]).toEqual([["confirm"], ["withdraw"], ["raise", "stand_down"]]);
  });
});

it("begins at the worst level that one person may declare", () => {
  expect((["I", "II", "III", "IV"] as Level[]).map(beginsAt)).toEqual(["III", "III", "III", "IV"]);
});

it("asks for the roles of its level and of the milder ones", () => {
  expect([rolesAsked(plan, "IV"), rolesAsked(plan, "II")]).toEqual([["commander"], ["medical", "traffic", "commander"]]);
});

it("finds the plan that answers a kind of event", () => {
  expect([planFor([plan], "operations.flood")?.id, planFor([plan], "weather.wind")?.id, planFor([plan], "traffic.congestion")]).toEqual(["flood", "flood", undefined]);
});

it("shows of each subject what holds now, and keeps what it replaced", () => {
  const fact = (number: number, subject: string, at: string, replaced_by: number | null): Fact => ({ number, subject, at, replaced_by, text: "", value: null, unit: "", source: "", geometry: null, by: "", said_at: at });
  const found = board([fact(1, "depth", "2026-07-01T08:00:00Z", 3), fact(2, "people", "2026-07-01T08:30:00Z", null), fact(3, "depth", "2026-07-01T08:40:00Z", null)]);
  expect(found.map((one) => [one.fact.number, one.before.map((each) => each.number)])).toEqual([[3, [1]], [2, []]]);
});

it("reads a place as people write it, and finds one on what has a shape", () => {
  expect([pointFrom("120.15, 30.28"), pointFrom("120.15，30.28"), pointFrom("here"), pointFrom("200, 1")]).toEqual([[120.15, 30.28], [120.15, 30.28], null, null]);
  expect([pointOf(null), pointOf({ type: "Point", coordinates: [1, 2] }), pointOf({ type: "LineString", coordinates: [[1, 1], [2, 2], [3, 3]] })]).toEqual([null, [1, 2], [2, 2]]);
});

it("counts the minutes until a report is due", () => {
  expect([minutesUntil("2026-07-01T08:10:00Z", Date.parse("2026-07-01T08:00:00Z")), minutesUntil("2026-07-01T08:00:00Z", Date.parse("2026-07-01T08:05:00Z"))]).toEqual([10, -5]);
});

describe("a response plan that is written", () => {
  const written = (): Plan => ({ ...blank(), id: "storm", name: { zh: "台风", en: "Typhoon" }, responses: { IV: { ...blankResponse(), roles: ["commander"], tasks: [{ ...blankTask(1), title: { en: "Look" }, department: "roads" }] } } });
  it("lacks all that nobody could follow", () => {
    expect(check(written())).toEqual([]);
    expect(check(blank()).map((one) => one.field)).toEqual(["id", "name", "levels"]);
    const bad = { ...written(), roles: [{ id: "a", name: {} }, { id: "a", name: {} }, { id: "", name: {} }], responses: { II: { ...blankResponse(), report_minutes: 0, tasks: [{ ...blankTask(3), minutes: 0.5 }] } } };
    expect(check(bad).map((one) => one.field)).toEqual(["role.1", "role.2", "II.report", "II.3.title", "II.3.department", "II.3.minutes"]);
  });
  it("is sent without what was left empty and changes only when something does", () => {
    const sent = settled(whole(written()));
    expect([sent.responses.IV?.condition, sent.responses.IV?.tasks?.[0]?.details]).toEqual([{}, {}]);
    expect([isSame(written(), sent), isSame(written(), { ...written(), basis: "law" }), isSame(written(), { ...written(), version: 7 })]).toEqual([true, false, true]);
  });
  it("gives a new task a number that no other has", () => {
    const tasks = addTask(addTask(addTask([])));
    expect(addTask(tasks.filter((one) => one.number !== 2)).map((one) => one.number)).toEqual([1, 3, 4]);
  });
  it("wants no role that is gone", () => {
    const now = withoutRole(written(), 0);
    expect([now.roles, now.responses.IV?.roles]).toEqual([[], []]);
    const twice = { ...written(), roles: [...written().roles, ...written().roles] };
    expect([withoutRole(twice, 1).roles, withoutRole(twice, 1).responses.IV?.roles]).toEqual([written().roles, ["commander"]]);
  });
});
