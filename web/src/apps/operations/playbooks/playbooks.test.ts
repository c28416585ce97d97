// SPDX-License-Identifier: Apache-2.0
// Playbooks while they are written: numbers that follow the order, what is wrong, what two versions differ in.
import { describe, expect, it, vi } from "vitest";
import { added, blank, blankLine, check, evidenceOf, evidenceRows, isChanged, moved, paired, parameterProblems, removed, settled, targetKind, whole } from "@/apps/operations/playbooks/editing";
import { areaOf, around, cornersOfArea, hull } from "@/apps/operations/playbooks/area";
import type { Line, Playbook } from "@/apps/operations/playbooks/types";
import { approvalWords, conditionOf, conditionsWords, differences, namedConditions } from "@/apps/operations/playbooks/words";
import { lang } from "@/i18n";
import type { Means } from "@/orders/types";

vi.stubGlobal("localStorage", { getItem: () => null, setItem: () => undefined, removeItem: () => undefined });

const line = (number: number, facts: Partial<Line> = {}): Line => ({ ...blankLine(number), means: `a.m${number}`, ...facts });
const book = (facts: Partial<Playbook> = {}): Playbook => ({ id: "market.flood", name: { en: "Flood" }, when: { kinds: ["operations.flood"] }, lines: [line(1), line(2, { after: { line: 1, state: "failed" } }), line(3, { after: { line: 2, state: "missed" } })], ...facts });
const none = (): undefined => undefined;

describe("lines", () => {
  it("keep waiting for the same line when they change places", () => {
    const now = moved(book().lines, 1, 1);
    expect(now.map((one) => [one.number, one.means, one.after?.line])).toEqual([[1, "a.m2", 2], [2, "a.m1", undefined], [3, "a.m3", 1]]);
    expect(check(book({ lines: now }), none)).toEqual([{ field: "lines.1.after", key: "playbook.wrong.after" }]);
  });
  it("wait for nobody when the line they waited for is gone", () => {
    expect(removed(book().lines, 1).map((one) => [one.number, one.means, one.after])).toEqual([[1, "a.m2", null], [2, "a.m3", { line: 1, state: "missed" }]]);
  });
  it("are added after another one or at the end", () => {
    expect(added(book().lines, 1).map((one) => [one.number, one.means, one.after?.line])).toEqual([[1, "a.m1", undefined], [2, "", undefined], [3, "a.m2", 1], [4, "a.m3", 3]]);
    expect(added([]).map((one) => one.number)).toEqual([1]);
  });
  it("stay where they are at either end", () => {
    expect(moved(book().lines, 1, -1).map((one) => one.means)).toEqual(["a.m1", "a.m2", "a.m3"]);
  });
});

describe("what is wrong", () => {
  it("is nothing in a whole playbook, and all of it in an empty one", () => {
    expect(check(book(), none)).toEqual([]);
    expect(check(blank(), none).map((one) => one.field)).toEqual(["id", "name", "kinds"]);
  });
  it.each([
    [{ means: "" }, "means"], [{ target: "nearest:" }, "target"], [{ after: { line: 9 } }, "after"], [{ after: { minutes: 20_000 } }, "minutes"], [{ after: { minutes: Number.NaN } }, "minutes"],
    [{ only_if: { value: { attribute: "", is: "above", value: 3 } } }, "value"], [{ approval: "officer", approve_minutes: 0 }, "approve_minutes"], [{ answer_s: Number.NaN }, "answer_s"],
  ] as [Partial<Line>, string][])("%j is told beside its field", (facts, field) => {
    expect(check(book({ lines: [line(1, facts)] }), none).map((one) => one.field)).toEqual([`lines.1.${field}`]);
  });
  it("asks for a person where a means takes two", () => {
    expect(check(book({ lines: [line(1)] }), () => ({ two_person: true, parameters: {} }) as unknown as Means).map((one) => one.key)).toEqual(["playbook.wrong.approval"]);
  });
  it("lets a slot stand for what is known only later", () => {
    const means = { parameters: { type: "object", properties: { minutes: { type: "integer", minimum: 1 } }, required: ["minutes"] } } as unknown as Means;
    const told = [{}, { minutes: 0 }, { minutes: "{minutes}" }, { minutes: 5 }].map((parameters) => parameterProblems(line(1, { parameters }), means).length);
    expect(told).toEqual([1, 1, 0, 0]);
  });
});

it("sends nothing that was left empty, and finds no change where there is none", () => {
  const sent = settled(book({ name: { zh: "", en: "Flood" }, when: { kinds: ["a"], places: { entity_ids: [], area: null } }, lines: [line(1, { parameters: { text: "", minutes: 0 } })] }));
  expect([sent.name, sent.when.places, sent.lines[0]?.parameters]).toEqual([{ en: "Flood" }, null, { minutes: 0 }]);
  const bare = { id: "a", name: { en: "A" }, when: { kinds: ["a"] }, lines: [{ number: 1, means: "x" }] } as unknown as Playbook;
  expect([isChanged(whole(bare), bare), isChanged({ ...whole(bare), name: { en: "B" } }, bare)]).toEqual([false, true]);
});

it.each([["event", "event"], ["nearest:tow", "nearest"], ["urn:ngsi-ld:RoadSegment:a", "entity"], ["upstream_junctions", "upstream_junctions"]])("%s is a target of kind %s", (target, kind) => {
  expect(targetKind(target)).toBe(kind);
});

describe("two versions", () => {
  it("are compared line by line by their means, wherever they stand", () => {
    const after = removed(book().lines, 1);
    expect(paired(book().lines, [...after, line(3, { means: "b" })]).map((one) => [one.before?.means ?? null, one.after?.means ?? null])).toEqual([["a.m1", null], ["a.m2", "a.m2"], ["a.m3", "a.m3"], [null, "b"]]);
  });
  it("are told in words", () => {
    lang.value = "en";
    const other = book({ name: { en: "Floods" }, lines: [line(1, { approval: "officer" }), ...book().lines.slice(1)] });
    expect(differences(book(), other).map((one) => [one.what, one.before, one.after])).toEqual([["Name", "Flood", "Floods"], ["Line 1 · a.m1 · Who agrees", "no one asked", "one officer · 10 min"]]);
    expect(differences(book(), book())).toEqual([]);
  });
});

it("says when the turn of a line comes", () => {
  lang.value = "en";
  expect([{}, { after: { minutes: 5 } }, { after: { line: 1, state: "failed" } }, { only_if: { event_open: false } }].map((facts) => conditionOf(line(2, facts as Partial<Line>))))
    .toEqual(["at once", "5 min after the event", "after line 1: failed, refused or never answered", "the event is over"]);
});
it("conditions of lines are said in words", () => {
  const asked = line(1, { approval: "officer", approve_minutes: 10, alone_if: { net: "has_room", minutes: 5 } });
  expect(approvalWords(asked)).toContain(conditionsWords({ net: "has_room", minutes: 5 }));
  expect(conditionOf(line(2, { only_if: { evidence: { cause: ["crash", "breakdown"] } } }))).toContain("crash / breakdown");
});

it("sends conditions without what was begun and left empty, and keeps each part of them", () => {
  const only = { event_open: true, evidence: { cause: ["crash", "breakdown"], "": "" }, net: "has_room" as const, minutes: 3 };
  const sent = (facts: Partial<Line>): Line | undefined => settled({ ...blank(), lines: [line(1, facts)] }).lines[0];
  expect(sent({ only_if: only })?.only_if).toEqual({ event_open: true, evidence: { cause: ["crash", "breakdown"] }, net: "has_room", minutes: 3, value: null });
  expect(sent({ only_if: { event_open: true, evidence: {}, minutes: 0 } })?.only_if).toBeNull();
  expect(sent({ only_if: { event_open: false } })?.only_if?.event_open).toBe(false);
  expect(sent({ undo_if_missed: true, alone_if: { net: "has_room" } })).toMatchObject({ undo_if_missed: true, alone_if: { net: "has_room", value: null } });
});
it("reads evidence as it is typed", () => {
  const rows = evidenceRows({ cause: ["crash", "breakdown"], lanes: 2, both: true });
  expect(rows).toEqual([{ name: "cause", values: "crash, breakdown" }, { name: "lanes", values: "2" }, { name: "both", values: "true" }]);
  expect(evidenceOf(rows)).toEqual({ cause: ["crash", "breakdown"], lanes: 2, both: true });
});
it("says the server's line of conditions in words", () => {
  lang.value = "en";
  expect(namedConditions("kind traffic.*; severity I, II; type Road")).not.toMatch(/kind |severity /u);
  expect(namedConditions("type Road")).toBe("Road");
});

describe("an area", () => {
  it("is corners and corners are an area, but two are none", () => {
    const square: [number, number][] = [[0, 0], [1, 0], [1, 1], [0, 1]];
    expect(cornersOfArea(areaOf(square))).toEqual(square);
    expect([cornersOfArea(null), areaOf(square.slice(0, 2)), cornersOfArea({ type: "MultiPolygon", coordinates: [] })]).toEqual([[], null, null]);
  });
  it("around points leaves out those within", () => {
    expect(hull([[0, 0], [2, 0], [1, 1], [2, 2], [0, 2], [1, 0]])).toEqual([[0, 0], [2, 0], [2, 2], [0, 2]]);
  });
  it("around a road keeps so many metres from it on all sides", () => {
    const outline = around([[[120, 30], [120.01, 30]]], 50);
    const [lons, lats] = [outline.map((one) => one[0]), outline.map((one) => one[1])];
    const [west, south, east, north] = [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
    const metres = (degrees: number): number => degrees * 111_320;
    expect([metres(30 - south) >= 50, metres(north - 30) >= 50, metres((120 - west) * Math.cos(Math.PI / 6)) >= 50, metres((east - 120.01) * Math.cos(Math.PI / 6)) >= 50]).toEqual([true, true, true, true]);
    expect(metres(north - 30)).toBeLessThan(60);
    expect(around([], 50)).toEqual([]);
  });
});

it("is valid from before until, or never", () => {
  const [early, late] = ["2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"];
  expect([[early, late], [late, early], [early, early], [early, null], [null, early]].map(([from, until]) => check(book({ valid_from: from ?? null, valid_until: until ?? null }), none).map((one) => one.field))).toEqual([[], ["valid"], ["valid"], [], []]);
});
