// SPDX-License-Identifier: Apache-2.0
// The pure parts of the hotline's desks: receipts read out, periods, how narrow a rule is, what two tables differ in.
import { expect, it } from "vitest";
import { cornersOf, differences, specificity, wordsOf } from "@/apps/hotline/routing";
import type { Rule } from "@/apps/hotline/types";
import { isSensitive, minutes, monthOf, readOut, shareWords, spanOf } from "@/apps/hotline/words";

const rule = (more: Partial<Rule> = {}): Rule => ({
  number: 1, department: "water", category: "", area: [], area_name: "", channels: [], urgencies: [], words: [], from_: null, until: null, days: "all", active: true, ...more,
});

it("reads a receipt out by groups that one can write down", () => {
  expect(readOut("HT20261125000012")).toEqual(["HT", "2026", "1125", "000", "012"]);
  expect(readOut("12")).toEqual(["12"]);
});

it.each([[0, "0:00"], [15.9, "0:15"], [75, "1:15"], [-3, "0:00"], [3_600, "60:00"]])("writes %s seconds as %s", (seconds, written) => {
  expect(minutes(seconds)).toBe(written);
});

it("takes months by the calendar and days by their length", () => {
  const now = new Date(2026, 2, 10, 9, 30);
  expect(spanOf("last_month", now)).toEqual({ since: new Date(2026, 1, 1).toISOString(), until: new Date(2026, 2, 1).toISOString() });
  expect(spanOf("month", now).since).toBe(new Date(2026, 2, 1).toISOString());
  expect(Date.parse(spanOf("days7", now).until) - Date.parse(spanOf("days7", now).since)).toBe(7 * 86_400_000);
  expect(monthOf(now)).toBe("2026-03");
});

it("writes no share of nothing", () => {
  expect(shareWords({ good: 0, of: 0, value: null })).toBe("–");
  expect(shareWords({ good: 1, of: 2, value: 0.5 })).toBe("50 %");
});

it.each([["楼下有人要跳楼", true], ["He wants to KILL HIMSELF", true], ["there is a bomb", true], ["路灯坏了", false]])("slows a clerk down at %s: %s", (told, is) => {
  expect(isSensitive(told)).toBe(is);
});

it.each([
  [rule(), 0], [rule({ words: ["fire"] }), 0], [rule({ category: "water.drain.flood", from_: "18:00:00", until: "08:00:00" }), 4],
  [rule({ channels: ["web"], urgencies: ["emergency"], days: "weekends" }), 3], [rule({ area: [[1, 1], [2, 1], [2, 2]] }), 1],
])("counts how narrow a rule is as the server does", (one, points) => {
  expect(specificity(one).points).toBe(points);
});

it("takes an area with at least three corners that are on earth", () => {
  expect(cornersOf("120.1, 30.2\n120.2,30.2\n\n120.2 30.3")).toEqual([[120.1, 30.2], [120.2, 30.2], [120.2, 30.3]]);
  expect(cornersOf("")).toEqual([]);
  expect([cornersOf("1,2\n3,4"), cornersOf("a,b\n1,2\n3,4"), cornersOf("200,2\n1,2\n3,4"), cornersOf("1,2,3\n1,2\n3,4")]).toEqual([null, null, null, null]);
});

it("takes words however they are separated", () => {
  expect(wordsOf("着火、 火灾,冒烟；烟\n")).toEqual(["着火", "火灾", "冒烟", "烟"]);
});

it("finds the rows in which two tables differ", () => {
  const [one, two, three] = [rule({ number: 1 }), rule({ number: 2 }), rule({ number: 3 })];
  expect(differences([one, two], [one, { ...two, department: "fire" }, three]).map((pair) => pair.number)).toEqual([2, 3]);
  expect(differences([one], [one])).toEqual([]);
});
