// SPDX-License-Identifier: Apache-2.0
// Alarms: filters in the address, rows kept in step with what the stream tells, groups folded, the past, and files.
import { describe, expect, it } from "vitest";
import { fits } from "@/alarms/acting";
import { toCsv } from "@/alarms/csv";
import { belongs, narrowed, NOTHING, orderOf, readFilters, partsOf, toParams, toQuery } from "@/alarms/filters";
import { alarmOf, asOf } from "@/alarms/past";
import { appended, lines, merged } from "@/alarms/rows";
import type { Alarm, Handling } from "@/alarms/types";

const AT = Date.parse("2026-11-26T08:00:00Z");
const time = (minute: number): string => new Date(AT + minute * 60_000).toISOString();
const HANDLING: Handling = { state: "new", acknowledged_by: null, acknowledged_at: null, taken_by: null, taken_at: null, shelved_by: null, shelved_until: null, cleared_by: null, cleared_at: null, comments: 0, version: 0 };
const alarm = (id: string, facts: Partial<Alarm> = {}, handling: Partial<Handling> = {}): Alarm => ({
  id, kind: "traffic.congestion", severity: "III", at: time(0), ended_at: null, entity_id: "urn:road", geometry: null, because: { code: "c", facts: {} }, evidence: {}, group: null, group_size: 1, place: null, ...facts, handling: { ...HANDLING, ...handling },
});
const ids = (rows: readonly Alarm[]): string[] => rows.map((row) => row.id);

describe("filters", () => {
  const filters = readFilters({ state: "all", severity: "II,I,X", kind: "a.b,c.d", handling: "taken,nonsense", mine: "1", q: "ring road", span: "8h", sort: "-at" });
  it("are read from an address without what is none", () => {
    expect([filters.severities, filters.handlings, filters.kinds, filters.isMine]).toEqual([["I", "II"], ["taken"], ["a.b", "c.d"], true]);
    expect(readFilters({ state: "x", sort: "y", span: "z" })).toEqual(NOTHING);
  });
  it("come back from the address and from a saved name as they were", () => {
    expect(readFilters(toQuery(filters))).toEqual(filters);
    expect(readFilters(partsOf(filters))).toEqual(filters);
    expect([narrowed(NOTHING), narrowed(filters)]).toEqual([0, 5]);
  });
  it("are asked of the server with times counted from the clock, and nothing later in the past", () => {
    const params = toParams(filters, AT, false);
    expect([params.get("since"), params.get("until"), params.get("severity"), params.get("q")]).toEqual(["2026-11-26T00:00:00.000Z", null, "I,II", "ring road"]);
    expect(toParams(NOTHING, AT, true).toString()).toBe("state=open&sort=severity&until=2026-11-26T08%3A00%3A00.000Z");
  });
  it("tell which alarms belong", () => {
    const mine = readFilters({ mine: "1", severity: "III" });
    expect([belongs(alarm("a"), NOTHING, null), belongs(alarm("a", { ended_at: time(1) }), NOTHING, null), belongs(alarm("a"), mine, "li"), belongs(alarm("a", {}, { taken_by: "li" }), mine, "li")]).toEqual([true, false, false, true]);
  });
});

describe("rows", () => {
  const rows = [alarm("worst", { severity: "I" }), alarm("new", { at: time(5) }), alarm("old")];
  it("stand worst first and then newest first, as the server has them", () => {
    expect(ids([...rows].reverse().sort(orderOf("severity")))).toEqual(["worst", "new", "old"]);
  });
  it("take in what is new where it belongs, and let go what belongs no more", () => {
    expect(ids(merged({ rows, isWhole: true }, [alarm("fresh", { severity: "II" })], NOTHING, null))).toEqual(["worst", "fresh", "new", "old"]);
    expect(ids(merged({ rows, isWhole: true }, [alarm("new", { ended_at: time(6) })], NOTHING, null))).toEqual(["worst", "old"]);
  });
  it("know nothing beyond the last one that is loaded", () => {
    const late = alarm("late", { severity: "IV" });
    expect([ids(merged({ rows, isWhole: false }, [late], NOTHING, null)), ids(merged({ rows, isWhole: true }, [late], NOTHING, null))].map((each) => each.includes("late"))).toEqual([false, true]);
  });
  it("do not guess whether words fit", () => {
    expect(ids(merged({ rows, isWhole: true }, [alarm("fresh")], readFilters({ q: "x" }), null))).toEqual(["worst", "new", "old"]);
  });
  it("of two pages are there once", () => { expect(ids(appended(rows, [alarm("old"), alarm("older")]))).toEqual(["worst", "new", "old", "older"]); });
  it("stay 20,000 in step within a blink", () => {
    const many = Array.from({ length: 20_000 }, (_, i) => alarm(String(i), { at: time(-i) }));
    const began = performance.now();
    const fresh = Array.from({ length: 500 }, (_, i) => alarm(`f${i}`, { at: time(i) }));
    expect(merged({ rows: many, isWhole: true }, fresh, NOTHING, null)).toHaveLength(20_500);
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});

it("folds a group under its first alarm, and unfolds it", () => {
  const rows = [alarm("a", { group: "g", group_size: 40 }), alarm("b"), alarm("c", { group: "g", group_size: 40 })];
  expect(lines(rows, new Set()).map((line) => [line.alarm.id, line.hidden, line.isHead])).toEqual([["a", 39, true], ["b", 0, false]]);
  expect(lines(rows, new Set(["g"])).map((line) => [line.alarm.id, line.isInner])).toEqual([["a", false], ["c", true], ["b", false]]);
});

it("shows an alarm as it stood: its end is not yet known", () => {
  expect([asOf(alarm("a", { ended_at: time(9) }), AT).ended_at, asOf(alarm("a", { ended_at: time(-1) }), AT).ended_at]).toEqual([null, time(-1)]);
  const event = { ...alarm("a"), acknowledged_by: "li", acknowledged_at: time(1), note: null };
  expect(alarmOf(event).handling.state).toBe("acknowledged");
});

it.each([["release", "li", true], ["release", "wang", false], ["take", "wang", true], ["take", "li", false], ["acknowledge", "li", false], ["unshelve", "li", false], ["comment", "wang", true]] as const)("%s fits %s: %s", (act, account, expected) => {
  expect(fits(act, alarm("a", {}, { state: "taken", taken_by: "li" }), account)).toBe(expected);
});

it("writes a file that no spreadsheet takes for formulas", () => {
  const words = toCsv([alarm("=1+1", { entity_id: 'say "x", y' })], [{ title: "id", of: (row) => row.id }, { title: "entity", of: (row) => row.entity_id }]);
  expect(words).toBe("\uFEFFid,entity\r\n'=1+1,\"say \"\"x\"\", y\"\r\n");
});
