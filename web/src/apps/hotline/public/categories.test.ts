// SPDX-License-Identifier: Apache-2.0
// Kinds are found by the words people use, the narrowest first.
import { expect, it } from "vitest";
import { narrowest, searched, suggested } from "@/apps/hotline/public/categories";
import type { Category } from "@/apps/hotline/public/types";

const kind = (id: string, zh: string, en: string, ...words: string[]): Category => ({ id, name: { zh, en }, words, public: true });
const ALL = [
  kind("water", "供水排水", "Water and drainage", "自来水"), kind("water.supply", "供水", "Water supply"),
  kind("water.supply.outage", "停水", "No water", "没水"), kind("traffic", "交通运输", "Traffic"), kind("traffic.light", "路灯故障", "Street light out", "路灯"),
];

it("offers only kinds that have none below them", () => {
  expect(narrowest(ALL).map((each) => each.id)).toEqual(["water.supply.outage", "traffic.light"]);
});

it("suggests by words or names in either language, the longest match first", () => {
  expect(suggested(ALL, "家里停水，路灯故障也没人管").map((each) => each.id)).toEqual(["traffic.light", "water.supply.outage"]);
  expect(suggested(ALL, "There is NO WATER here").map((each) => each.id)).toEqual(["water.supply.outage"]);
  expect(suggested(ALL, "")).toEqual([]);
});

it("finds by the words of what stands above, and nothing by nothing", () => {
  expect(searched(ALL, "自来水").map((each) => each.id)).toEqual(["water.supply.outage"]);
  expect(searched(ALL, "  ")).toEqual([]);
});
