// SPDX-License-Identifier: Apache-2.0
// The reckoning of the desk: what is due, what is asked for, what a form sends, and what a refreshed list shows.
import { expect, it } from "vitest";
import { actOf, changedFields, differences, formOf, isPlain, putOver, rebase, startOf } from "@/casework/acts";
import { fromStored, loses, readAddress, toAddress, toParams, toStored } from "@/casework/filters";
import { compare } from "@/casework/list";
import type { Case, CaseRow, Detail, Move } from "@/casework/types";
import { ageOf, dueOf, fromLocalTime, localTime, numbersIn, sizeWords } from "@/casework/words";

const NOW = Date.parse("2026-11-25T12:00:00Z");
const row = (more: Partial<CaseRow> = {}): CaseRow => ({
  id: 1, number: "A1", type: "ticket", type_version: 1, state: "new", phase: "open", title: "t", department: "d", came_from: null, assignee: null, opened_by: "x", priority: 5, channel: "", category: "",
  longitude: null, latitude: null, address: "", created_at: "2026-11-25T11:00:00Z", changed_at: "2026-11-25T11:00:00Z", due_at: null, warned_at: null, suspended_at: null, closed_at: null, transfers: 0, returns: 0, reopened: 0, version: 3, ...more,
});
const full = (more: Partial<Case> = {}): Case => ({ ...row(), fields: {}, clocks: {}, key: null, ...more });
const detail = (of: Case): Detail => ({ case: of, events: [], comments: [], links: [], shares: [], moves: [], attachments: [], ratings: [], alarms: [], process: null, verbs: [] });

it.each([
  ["2026-11-25T14:00:00Z", "work.due_hours", 2, "II", "the last two hours are urgent"],
  ["2026-11-25T14:30:00Z", "work.due_hours", 2, "III", "today"],
  ["2026-11-25T12:00:00Z", "work.due_minutes", 1, "II", "the limit itself is in time"],
  ["2026-11-25T11:59:00Z", "work.over_minutes", 1, "I", "a minute late"],
  ["2026-11-22T11:00:00Z", "work.over_days", 3, "I", "three days late"],
  ["2026-12-05T12:00:00Z", "work.due_days", 10, "IV", "far away"],
])("says of %s: %s %s %s", (due_at, key, n, severity, why) => {
  expect(dueOf(row({ due_at }), NOW), why).toEqual({ key, n, severity });
});

it("lets a limit rest, and says afterwards whether it was kept", () => {
  expect(dueOf(row(), NOW)).toBeNull();
  expect(dueOf(row({ phase: "suspended", due_at: "2026-11-20T00:00:00Z" }), NOW)?.key).toBe("work.due_rests");
  expect(dueOf(row({ phase: "closed", due_at: "2026-11-20T00:00:00Z", closed_at: "2026-11-21T00:00:00Z" }), NOW)?.key).toBe("work.was_late");
  expect(ageOf("2026-11-25T11:59:30Z", NOW)).toEqual({ key: "work.age_minutes", n: 1 });
});

it("keeps what is asked for in the address, and as the server reads it", () => {
  const asked = { scope: "pool", state: ["new", "working"], type: "ticket", due: "24h", words: "路灯" };
  const filters = readAddress(asked);
  expect(readAddress(toAddress(filters))).toEqual(filters);
  expect(decodeURIComponent(toParams(filters, NOW).toString())).toBe("scope=pool&order=due&due_before=2026-11-26T12:00:00.000Z&state=new&state=working&type=ticket&words=路灯");
});

it("orders closed cases by time, since they have no urgency", () => {
  expect(readAddress({ phase: "closed", order: "due" }).order).toBe("newest");
  expect(toParams(readAddress({ order: "newest" }), NOW).getAll("phase")).toEqual(["open", "suspended"]);
});

it("keeps a queue and reads it again, all but times that move", () => {
  const filters = readAddress({ scope: "held", department: "water", phase: "suspended", due: "overdue", assignee: "li" });
  expect(fromStored(toStored(filters))).toEqual(filters);
  expect([loses(filters), loses(readAddress({ due: "3d" }))]).toEqual([false, true]);
});

it("refreshes rows where they stand, and tells what is new and what is gone", () => {
  const shown = [row({ id: 1 }), row({ id: 2 }), row({ id: 3 })];
  const fresh = [row({ id: 9 }), row({ id: 1, title: "other" }), row({ id: 3 })];
  expect(compare(shown, fresh, 100)).toEqual({ rows: [row({ id: 1, title: "other" }), row({ id: 2 }), row({ id: 3 })], newer: 1, gone: new Set([2]) });
  // A page that is full: the last one may only have been pushed out.
  expect(compare(shown, [row({ id: 9 }), row({ id: 1 }), row({ id: 2 })], 3).gone).toEqual(new Set());
});

const MOVE: Move = { name: "answer", from: ["working"], to: "answered", permission: "case.work", roles: [], helpers: false, automatic: false, needs: ["answer"], fields: ["resolution"], assignee: "keep", priority: null, words: {} };
const how = { lookup: (numbers: string[]) => Promise.resolve(numbers.map((number) => number.length)), zone: "Asia/Shanghai", version: 3 };

it("asks for what a move needs and sends only what became different", async () => {
  const choice = { verb: "move" as const, move: MOVE };
  const of = detail(full({ fields: { text: "dark", resolution: "" } }));
  expect(formOf(choice).facts["required"]).toEqual(["answer"]);
  expect(formOf(choice).fields).toEqual(["resolution"]);
  const sent = await actOf(choice, { facts: { answer: "done" }, fields: { text: "dark", resolution: "resolved" } }, of, how);
  expect(sent).toEqual({ verb: "move", move: "answer", answer: "done", fields: { resolution: "resolved" }, expected_version: 3 });
});

it("leaves the fields alone where a move asks for none of them", async () => {
  const plain = { ...MOVE, needs: [], fields: [] };
  const sent = await actOf({ verb: "move", move: plain }, { facts: {}, fields: {} }, detail(full({ fields: { text: "dark" } })), how);
  expect(sent["fields"]).toEqual({});
  expect([isPlain({ verb: "move", move: plain }, undefined), isPlain({ verb: "move", move: MOVE }, undefined), isPlain({ verb: "take" }, undefined)]).toEqual([true, false, true]);
});

it("sends of an edit what was changed and what was emptied", async () => {
  const of = detail(full({ title: "old", category: "road", fields: { text: "a", tags: ["x"] } }));
  const start = startOf({ verb: "edit" }, of, "UTC");
  expect(start.facts).toEqual({ title: "old", priority: 5, category: "road" });
  const sent = await actOf({ verb: "edit" }, { facts: { title: "new", priority: 5 }, fields: { text: "a" } }, of, how);
  expect(sent).toEqual({ verb: "edit", title: "new", category: "", fields: { tags: null }, expected_version: 3 });
  expect(changedFields({ a: 1, b: "x" }, { b: "x", c: 2 })).toEqual({ a: null, c: 2 });
  expect(changedFields({ on: "2026-11-01", n: 3 }, {})).toEqual({ on: null, n: null });
  expect(putOver({ n: 3, old: null }, { n: null, c: 2 })).toEqual({ old: null, c: 2 });
});

it("finds cases to merge by the numbers that were pasted", async () => {
  expect(numbersIn("HT1，HT22\n HT333;")).toEqual(["HT1", "HT22", "HT333"]);
  expect(await actOf({ verb: "merge" }, { facts: { numbers: "HT1 HT22", reason: "same" }, fields: {} }, detail(full()), how)).toEqual({ verb: "merge", ids: [3, 4], reason: "same", expected_version: 3 });
});

it("tells what another one changed", () => {
  const found = differences(full({ fields: { text: "a" } }), full({ state: "working", assignee: "li", fields: { text: "b" } }), undefined, (name) => ({ en: name }));
  expect(found.map((one) => [one.name, one.before, one.now])).toEqual([["state", "new", "working"], ["assignee", null, "li"], ["fields.text", "a", "b"]]);
});

it("puts what was typed over the newer case, and takes back nothing that another one did", () => {
  const before = full({ title: "old", category: "road", fields: { text: "a", size: 1 } });
  const now = full({ title: "old", category: "water", address: "Beihai", fields: { text: "a", size: 2 } });
  const mine = { facts: { title: "mine", category: "road", priority: 5 }, fields: { text: "b", size: 1 } };
  expect(rebase({ verb: "edit" }, mine, before, now)).toEqual({ facts: { title: "mine", category: "water", priority: 5, address: "Beihai" }, fields: { text: "b", size: 2 } });
  expect(rebase({ verb: "assign" }, { facts: { assignee: "li" }, fields: {} }, before, now)).toEqual({ facts: { assignee: "li" }, fields: {} });
});

it("reads a time as the city's clocks show it", () => {
  expect(localTime("2026-11-25T12:00:00Z", "Asia/Shanghai")).toBe("2026-11-25T20:00");
  expect(fromLocalTime("2026-11-25T20:00", "Asia/Shanghai")).toBe("2026-11-25T12:00:00.000Z");
  expect(fromLocalTime("2026-07-01T08:00", "Europe/Berlin")).toBe("2026-07-01T06:00:00.000Z");
  expect(fromLocalTime("soon", "UTC")).toBeNull();
});

it("says how large a file is", () => {
  expect([sizeWords(12), sizeWords(52_428_800), sizeWords(1_540)]).toEqual(["12 B", "52 MB", "1.5 kB"]);
});
