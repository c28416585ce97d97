// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import type { Answer } from "@/casework/ask";
import { differing, fieldSlots, fitsCategory, piecesOf, slotsIn, startOf, withSlot } from "@/casework/templates";
import type { CaseType } from "@/casework/types";

const ANSWER: Answer = { id: 7, title: "Repaired", body: "{number}: done", category: "water.pipe", department: "water", used: 3, version: 4, changed_by: "zhao", changed_at: null, may_change: true };
const type = (id: string, properties: Record<string, unknown>, personal: { name: string }[] = []): CaseType => ({
  id, name: { en: id }, version: 1, initial: "new", states: {}, moves: [], form: { type: "object", properties }, personal, rating: false, merges_into: null, extras: {},
});

it("reads a text as words and slots, as the server does", () => {
  expect(piecesOf("您好，{number}：{fields.原因}{Number}{ x }")).toEqual([
    { text: "您好，", slot: null }, { text: "{number}", slot: "number" }, { text: "：", slot: null }, { text: "{fields.原因}", slot: "fields.原因" }, { text: "{Number}{ x }", slot: null },
  ]);
  expect(piecesOf("")).toEqual([]);
  expect(slotsIn("{title} {title} {fields.cause}")).toEqual(["title", "fields.cause"]);
});

it("puts a slot in the place of what was marked", () => {
  expect(withSlot("about X now", "title", 6, 7)).toEqual({ body: "about {title} now", at: 13 });
  expect(withSlot("", "number", 0, 0)).toEqual({ body: "{number}", at: 8 });
});

it("offers the plain fields of all types once, and says which are personal", () => {
  const found = fieldSlots([
    type("a", { cause: { type: "string", "x-title": { en: "Cause" } }, on: { type: "string", format: "date" }, tags: { type: "array", items: { type: "string" } }, more: { type: "object", properties: {} } }),
    type("b", { cause: { type: "string" }, phone: { type: "string" } }, [{ name: "phone" }]),
  ]);
  expect(found.map((one) => [one.name, one.types.length, one.personal])).toEqual([["fields.cause", 2, false], ["fields.on", 1, false], ["fields.phone", 1, true]]);
  expect(found[0]?.words["en"]).toBe("Cause");
});

it("tells in what two versions differ", () => {
  expect(differing(ANSWER, { ...ANSWER, body: "x", department: null })).toEqual(["department", "body"]);
  expect(differing(ANSWER, { ...ANSWER })).toEqual([]);
});

it("begins a new one for the writer's department, and another with what it is", () => {
  expect(startOf(null, "water")).toEqual({ title: "", body: "", category: "", department: "water", version: 1 });
  expect(startOf(ANSWER, null)).toEqual({ title: "Repaired", body: "{number}: done", category: "water.pipe", department: "water", version: 4 });
});

it("finds those of a category and of what is below it", () => {
  expect(["", "water", "water.pipe", "wat", "water.pipe.old"].map((chosen) => fitsCategory(ANSWER, chosen))).toEqual([true, true, true, false, false]);
});
