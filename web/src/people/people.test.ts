// SPDX-License-Identifier: Apache-2.0
// The pure parts of this room: the tree by keyboard, what is weak about a password, what two versions of a role differ in.
import { describe, expect, it } from "vitest";
import { dayFrom, endOf, momentOf } from "@/people/days";
import { askedOf, EMPTY } from "@/people/deeds";
import { differences } from "@/people/rights";
import { family, lines, narrowed, step } from "@/people/tree";
import type { Step } from "@/people/tree";
import type { Department, RoleRight } from "@/people/types";
import { agentWords, chancePassword, weaknesses } from "@/people/words";

const department = (id: string, parent: string | null): Department => ({ id, parent, name: { zh: id }, dissolved_at: null, successor: null });
const TREE = [department("c", "a"), department("a", null), department("b", null), department("d", "c"), department("lost", "nowhere")];
const name = (one: Department): string => one.id;
const shown = (closed: string[] = []): string[] => lines(TREE, new Set(closed), name).map((line) => `${line.depth}${line.department.id}`);

describe("the tree of departments", () => {
  it("puts each below its parent, and one whose parent is not there at the top", () => {
    expect(shown()).toEqual(["0a", "1c", "2d", "0b", "0lost"]);
  });
  it("hides what stands below a closed one", () => {
    expect(shown(["c"])).toEqual(["0a", "1c", "0b", "0lost"]);
  });
  it("knows whom a department cannot move under", () => {
    expect([...family(TREE, "a")].sort()).toEqual(["a", "c", "d"]);
  });
  it("keeps everything above what fits the words", () => {
    expect(narrowed(TREE, "D").map(name)).toEqual(["c", "a", "d"]);
  });
  it.each<[string, number, Step | null, string]>([
    ["ArrowDown", 0, { to: 1 }, "down"],
    ["ArrowUp", 0, { to: 0 }, "not above the first"],
    ["ArrowRight", 0, { to: 1 }, "into an open one"],
    ["ArrowLeft", 0, { to: 0, toggle: true }, "closes an open one"],
    ["ArrowLeft", 2, { to: 1 }, "from a leaf to its parent"],
    ["ArrowRight", 2, null, "nothing below a leaf"],
    ["End", 0, { to: 4 }, "to the last"],
    ["x", 0, null, "no other key is the tree's"],
  ])("goes by %s from line %i: %j (%s)", (key, at, expected) => {
    expect(step(lines(TREE, new Set(), name), at, key)).toEqual(expected);
  });
});

describe("a password", () => {
  it.each([
    ["short", "abc", "wu"], ["few", "aaaaaaaaaaaaaaa", "wu"], ["common", "Password2026!!", "wu"], ["name", "my-name-is-wanghua", "wanghua"], ["row", "hello123456hello", "wu"],
  ])("is %s: %s", (weakness, password, account) => {
    expect(weaknesses(password, account)).toContain(weakness);
  });
  it("of several words has nothing weak about it", () => {
    expect(weaknesses("correct horse battery", "wang")).toEqual([]);
  });
  it("made by chance is never weak and never the same", () => {
    const made = Array.from({ length: 50 }, chancePassword);
    expect(made.flatMap((one) => weaknesses(one, "wang"))).toEqual([]);
    expect(new Set(made).size).toBe(50);
  });
});

describe("two versions of a role", () => {
  const right = (own: boolean, otherwise: RoleRight["otherwise"] = "masked"): RoleRight => ({ own, fields: {}, otherwise });
  it("differ where one gives more, and where they show personal data otherwise", () => {
    const mine = { "case.view": right(false), "case.work": right(true), "case.open": right(false) };
    const theirs = { "case.view": right(true), "case.work": right(true), "case.open": right(false, "clear"), "case.export": right(false) };
    expect(differences(mine, theirs)).toEqual([
      { permission: "case.export", mine: "none", theirs: "all" }, { permission: "case.open", mine: "all", theirs: "other" }, { permission: "case.view", mine: "all", theirs: "own" },
    ]);
  });
});

it("asks the log only for what was filled in", () => {
  expect(askedOf({ ...EMPTY, actor: " li ", from: "2026-01-02T03:04" })).toEqual({ actor: "li", since: "2026-01-02T03:04:00.000Z" });
});

it.each([
  ["2026-03-01", "Asia/Shanghai", "2026-02-28T16:00:00.000Z", "2026-03-01T16:00:00.000Z"],
  ["2026-03-29", "Europe/Berlin", "2026-03-28T23:00:00.000Z", "2026-03-29T22:00:00.000Z"],
  ["2026-12-31", "UTC", "2026-12-31T00:00:00.000Z", "2027-01-01T00:00:00.000Z"],
])("takes the day %s in %s from %s to %s", (day, zone, begins, ends) => {
  expect(momentOf(day, zone)).toBe(begins);
  expect(endOf(day, zone)).toBe(ends);
  expect(dayFrom(Date.parse(begins), 0, zone)).toBe(day);
});

it("takes no moment from an empty field", () => {
  expect(momentOf("")).toBeUndefined();
  expect(endOf("")).toBeUndefined();
});

it("says which browser it was", () => {
  expect(agentWords("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36")).toBe("Chrome · Linux");
  expect(agentWords("")).toBe("–");
});
