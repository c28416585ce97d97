// SPDX-License-Identifier: Apache-2.0
// A citizen reads every value that the city holds of them, whichever part holds it.
import { expect, it } from "vitest";
import { recordsOf } from "@/citizen/own-data";

it("opens lists within parts and keeps values that can be read", () => {
  const data = { parts: { hotline_caller: { reports: [{ number: "HT1", email: "a@example.org", phone: "" }] }, cases: [] }, looks: [{ at: "x" }] };
  expect(recordsOf(data)).toEqual([{ part: "hotline_caller", fields: [{ name: "number", value: "HT1" }, { name: "email", value: "a@example.org" }] }]);
});

it("finds nothing in what is no export", () => {
  expect([recordsOf(null), recordsOf([]), recordsOf({ parts: 1 })]).toEqual([[], [], []]);
});
