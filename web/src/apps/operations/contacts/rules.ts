// SPDX-License-Identifier: Apache-2.0
// Which roles lack somebody, and what a new contact begins with. Pure.
import type { Book, Channel, Contact, Role } from "@/apps/operations/contacts/ask";
import type { Means } from "@/orders/types";

/** Reasons against a means that a contact takes away, or the setting its channel needs. */
export const CURABLE: ReadonlySet<string> = new Set(["operations.no_contact", "operations.no_department", "operations.no_way"]);
export const isCurable = (one: Means): boolean => one.lacks != null && CURABLE.has(one.lacks.code);

export interface RoleRow { role: Role; contacts: Contact[]; lacking: Means[] }
/** All roles, those first whose means cannot be carried out. */
export function rowsOf(book: Book, means: readonly Means[], words: (role: Role) => string): RoleRow[] {
  const stopped = new Map(means.filter(isCurable).map((one) => [one.name, one]));
  const known: Role[] = [...book.roles];
  // A contact may name a role that no means of this release needs: it can still be seen and removed.
  for (const one of book.contacts) if (!known.some((role) => role.id === one.role)) known.push({ id: one.role, name: { zh: one.role, en: one.role }, means: [] });
  return known
    .map((role) => ({ role, contacts: book.contacts.filter((one) => one.role === role.id), lacking: role.means.flatMap((name) => stopped.get(name) ?? []) }))
    .sort((a, b) => Number(b.lacking.length > 0) - Number(a.lacking.length > 0) || words(a.role).localeCompare(words(b.role)));
}

/** An id that nobody has yet; it is never shown first, and never has to be thought of. */
export function freeId(role: string, channel: Channel, taken: readonly Contact[]): string {
  const ids = new Set(taken.map((one) => one.id));
  const base = `${role}-${channel}`;
  for (let n = 1; ; n += 1) { const id = n === 1 ? base : `${base}-${n}`; if (!ids.has(id)) return id; }
}
/** What the role misses most: a department that does the work, or somebody to write to. */
export const firstChannel = (row: RoleRow): Channel => (row.lacking.some((one) => one.lacks?.code === "operations.no_department") ? "case" : "email");
