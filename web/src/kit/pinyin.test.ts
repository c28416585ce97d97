// SPDX-License-Identifier: Apache-2.0
// Names are found by Chinese, by first letters of pinyin and by English.
import { expect, it } from "vitest";
import { initials, rank } from "@/kit/pinyin";

it("knows the first letters", () => {
  expect(initials("城市管理局")).toBe("csglj");
  expect(initials("12345 热线中心")).toBe("12345 rxzx");
});

it("finds by each of them, beginnings first", () => {
  const words = ["城市管理局", "City management"];
  expect([rank("管理", words), rank("csgl", words), rank("MANAGE", words), rank("水", words), rank("", words)]).toEqual([2, 0, 5, null, 0]);
});
