// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import type { Book, Contact } from "@/apps/operations/contacts/ask";
import { firstChannel, freeId, isCurable, rowsOf } from "@/apps/operations/contacts/rules";
import type { Means } from "@/orders/types";

const means = (name: string, code: string | null): Means => ({ name, lacks: code === null ? null : { code, facts: {} } }) as Means;
const contact = (id: string, role: string): Contact => ({ id, role, name: { en: id }, channel: "case", address: "water", has_secret: false, lang: "zh", version: 1, works: true });
const BOOK: Book = {
  contacts: [contact("pump-case", "pump"), contact("old-case", "old")],
  roles: [{ id: "pump", name: { en: "Pumps" }, means: ["people.send_pump"] }, { id: "radio", name: { en: "Radio" }, means: ["information.radio", "information.tv"] }],
};
const rows = rowsOf(BOOK, [means("people.send_pump", null), means("information.radio", "operations.no_contact"), means("information.tv", "operations.no_device")], (role) => role.name["en"] ?? "");

it("puts roles first whose means cannot be carried out for want of somebody", () => {
  expect(rows.map((one) => one.role.id)).toEqual(["radio", "old", "pump"]);
  expect(rows[0]?.lacking.map((one) => one.name)).toEqual(["information.radio"]);
});
it("keeps a contact in sight whose role no means needs", () => {
  expect(rows[1]?.contacts.map((one) => one.id)).toEqual(["old-case"]);
});
it("says which reasons a contact takes away", () => {
  expect([isCurable(means("a", "operations.no_department")), isCurable(means("a", "operations.no_device")), isCurable(means("a", null))]).toEqual([true, false, false]);
});
it("finds an id that nobody has, and the way that is missed", () => {
  expect(freeId("pump", "case", BOOK.contacts)).toBe("pump-case-2");
  expect(freeId("radio", "email", BOOK.contacts)).toBe("radio-email");
  expect(rows.map(firstChannel)).toEqual(["email", "email", "email"]);
});
