// SPDX-License-Identifier: Apache-2.0
// The kit's reckoning: rows in sight, small lines, search.
import { expect, it } from "vitest";
import { moved, replaced, same, without } from "@/kit/lists";
import { slice, SPARE } from "@/kit/slice";
import { broken, sparkPaths } from "@/kit/spark";
import { nameOfKey } from "@/shell/keys";
import { viewOf, wordsOf } from "@/shell/address";
import { ranked } from "@/shell/search";

it("draws a few rows of twenty thousand", () => {
  const { from, to } = slice({ top: 400_000, height: 600, rowPx: 60, count: 20_000 });
  expect([from, to - from]).toEqual([6666 - SPARE, 11 + 2 * SPARE]);
  expect(slice({ top: 0, height: 600, rowPx: 60, count: 3 })).toEqual({ from: 0, to: 3 });
  expect(slice({ top: 0, height: 600, rowPx: 60, count: 0 })).toEqual({ from: 0, to: 0 });
});

it("draws lines on one scale from zero", () => {
  expect(sparkPaths([[[0, 0], [10, 5]], [[0, 10], [10, 10]]], { width: 100, height: 22 })).toEqual(["M0.0 22.0L100.0 12.0", "M0.0 2.0L100.0 2.0"]);
  expect(sparkPaths([[], []], { width: 1, height: 1 })).toEqual(["", ""]);
});

it("does not draw over a gap", () => {
  expect(broken([[0, 1], [10, 1], [20, 2], [500, 3], [510, 4]])).toEqual([[0, 1], [10, 1], [20, 2], [30, null], [500, 3], [510, 4]]);
  expect(broken([])).toEqual([]);
});

it("finds by all words, beginnings first", () => {
  const entries = ["Open: Roads", "Road 12", "Road 2", "Junction 2"].map((label) => ({ key: label, label, hint: "" }));
  expect(ranked(entries, "road 2", 9).map((one) => one.label)).toEqual(["Road 12", "Road 2"]);
  expect(ranked(entries, "", 2)).toHaveLength(2);
  expect(ranked(entries, "nothing", 9)).toEqual([]);
});

it("keeps a view in the address", () => {
  expect(viewOf(wordsOf({ lon: 11.4, lat: 48.77, zoom: 15.5 }))).toEqual({ lon: 11.4, lat: 48.77, zoom: 15.5 });
  expect([viewOf("nonsense"), viewOf(undefined), viewOf("1,2")]).toEqual([null, null, null]);
});

it("names keys alike on every keyboard", () => {
  const key = (name: string, ctrl = false): string => nameOfKey({ key: name, ctrlKey: ctrl, metaKey: false, altKey: false });
  expect([key("K", true), key("a"), key("A"), key("?"), key("Escape")]).toEqual(["ctrl k", "a", "a", "?", "Escape"]);
});

it("changes lists without touching them", () => {
  const list = [1, 2, 3];
  expect([replaced(list, 1, 9), without(list, 0), moved(list, 0, 1), moved(list, 0, -1), moved(list, 2, 1)]).toEqual([[1, 9, 3], [2, 3], [2, 1, 3], [1, 2, 3], [1, 2, 3]]);
  expect(list).toEqual([1, 2, 3]);
});

it("knows equals in whatever order their parts stand", () => {
  expect([same({ a: 1, b: [{ c: 2, d: 3 }] }, { b: [{ d: 3, c: 2 }], a: 1 }), same([1, 2], [2, 1])]).toEqual([true, false]);
});
