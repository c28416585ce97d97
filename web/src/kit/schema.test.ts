// SPDX-License-Identifier: Apache-2.0
// Forms: conditional parts come and go, and what is wrong is said as the server says it.
import { expect, it } from "vitest";
import { fieldsOf, initial, judge, put, titleOf } from "@/kit/schema";
import { FORMATS } from "@/kit/schema-formats";

const FORM = {
  type: "object",
  required: ["kind"],
  properties: {
    kind: { enum: ["road", "noise"], title: "类别", "x-title": { zh: "类别", en: "Kind" }, "x-choices": { road: { zh: "道路", en: "Road" } } },
    phone: { type: "string", format: "mobile-cn", "x-personal": { sort: "phone" } },
    size: { type: "number", minimum: 1 },
    tags: { type: "array", items: { enum: ["a", "b"] } },
    place: { type: "object", properties: { street: { type: "string", maxLength: 5 } }, required: ["street"] },
    remark: { type: "string", maxLength: 4000, default: "–" },
  },
  dependentRequired: { size: ["phone"] },
  if: { properties: { kind: { const: "noise" } }, required: ["kind"] },
  then: { properties: { hour: { type: "string", format: "time" } }, required: ["hour"] },
  else: { properties: { hole: { type: "boolean" } } },
};
const codes = (values: Record<string, unknown>): string[] => judge(FORM, values).problems.map((one) => `${one.code} ${one.facts.field}`);

it("shows the part that the answer before leads to", () => {
  const names = (values: Record<string, unknown>): string[] => fieldsOf(FORM, values).map((field) => field.name);
  expect(names({ kind: "noise" })).toEqual(["kind", "phone", "size", "tags", "place", "remark", "hour"]);
  expect(names({ kind: "road" })).toContain("hole");
});

it("drops what was filled in in a part that no longer applies", () => {
  expect(judge(FORM, { kind: "road", hour: "22:00" })).toEqual({ values: { kind: "road" }, problems: [] });
});

it("says what is missing, under conditions too", () => {
  expect(codes({})).toEqual(["kernel.form_missing kind"]);
  expect(codes({ kind: "noise" })).toEqual(["kernel.form_missing hour"]);
  expect(codes({ kind: "road", size: 2 })).toEqual(["kernel.form_missing phone"]);
});

it("says what does not fit, with the name of the field in both languages", () => {
  const { problems } = judge(FORM, { kind: "fire", size: 0, phone: "12", place: { street: "long street" } });
  expect(problems.map((one) => one.code)).toEqual(["kernel.form_not_among", "kernel.form_format", "kernel.form_too_small", "kernel.form_too_long"]);
  expect(problems[0]?.facts).toMatchObject({ field: "kind", label: { zh: "类别", en: "Kind" }, choices: "road, noise" });
  expect(problems[3]?.facts).toMatchObject({ field: "place.street", limit: 5 });
});

it("says that a number is no number", () => {
  expect(codes({ kind: "road", size: "two", phone: "13800138000" })).toEqual(["kernel.form_wrong_kind size"]);
});

it("chooses a control for each field", () => {
  expect(Object.fromEntries(fieldsOf(FORM, { kind: "noise" }).map((field) => [field.name, field.control]))).toEqual({
    kind: "choice", phone: "line", size: "number", tags: "many", place: "group", remark: "lines", hour: "time",
  });
  const [kind] = fieldsOf(FORM, {});
  expect(kind?.choices).toEqual([{ value: "road", words: { zh: "道路", en: "Road" } }, { value: "noise", words: { zh: "noise", en: "noise" } }]);
  expect(kind?.required).toBe(true);
});

it("shows only what a move asks for, and what comes with it", () => {
  expect(fieldsOf(FORM, { kind: "noise" }, { only: ["kind"] }).map((field) => field.name)).toEqual(["kind", "hour"]);
});

it("keeps nothing that is empty", () => {
  expect(put({ a: "1" }, ["a"], "")).toEqual({});
  expect(put({}, ["place", "street"], "x")).toEqual({ place: { street: "x" } });
  expect(put({ place: { street: "x" } }, ["place", "street"], "")).toEqual({});
});

it("proposes what the form proposes, unless something is there", () => {
  expect(initial(FORM, {})).toEqual({ remark: "–" });
  expect(initial(FORM, { remark: "mine" })).toEqual({ remark: "mine" });
});

it("follows a reference into the form, and no circle", () => {
  const form = { $defs: { name: { type: "string", minLength: 2 }, a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } }, properties: { name: { $ref: "#/$defs/name", title: "Name" }, odd: { $ref: "#/$defs/a" } } };
  expect(judge(form, { name: "x", odd: 1 }).problems.map((one) => one.code)).toEqual(["kernel.form_too_short"]);
  expect(titleOf(form.properties.name, "name")).toEqual({ zh: "Name", en: "Name" });
});

it.each([
  ["id-cn", "11010519491231002X", true], ["id-cn", "110105194912310021", false], ["id-cn", "11010519490231002X", false],
  ["credit-code-cn", "91350100M000100Y43", true], ["credit-code-cn", "91350100M000100Y44", false],
  ["date", "2026-02-29", false], ["date", "2028-02-29", true], ["mobile-cn", "+8613800138000", true], ["mobile-cn", "0101234567", false],
  ["phone-cn", "010-12345678", true], ["email", "a@b", false], ["email", "a@b.cn", true], ["time", "24:00", false],
])("takes %s %s: %s", (format, text, isGood) => {
  expect(FORMATS[format]?.(text)).toBe(isGood);
});
