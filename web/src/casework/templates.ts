// SPDX-License-Identifier: Apache-2.0
// Templates of answers: what slots they may have, where those stand, and what two versions differ in. Pure.
import type { Text } from "@/api/types";
import { fieldsOf } from "@/kit/schema";
import type { Answer, NewAnswer } from "@/casework/ask";
import type { CaseType } from "@/casework/types";

/** What of a case itself a slot may name; beside these there are the fields of its form. */
export const SLOTS = ["number", "title", "address", "created_at", "due_at"] as const;
const SLOT = /\{([a-z_]+(?:\.[\p{L}\p{N}_]+)?)\}/gu;
const NAME = /^[\p{L}\p{N}_]+$/u;
/** Values that are one word or sentence: what a list or a group holds does not stand in an answer. */
const PLAIN = new Set(["line", "lines", "number", "date", "time", "choice"]);

/** A field as a slot, with the types of case that ask for it. */
export interface FieldSlot { name: string; words: Text; types: Text[]; personal: boolean }
function slotsOf(type: CaseType): FieldSlot[] {
  const personal = new Set(type.personal.map((one) => one.name));
  return fieldsOf(type.form, {})
    .filter((field) => PLAIN.has(field.control) && NAME.test(field.name))
    .map((field) => ({ name: `fields.${field.name}`, words: field.words, types: [type.name], personal: field.personal || personal.has(field.name) }));
}
/** What one type calls personal is so in all: a template does not say for which type it is. */
export function fieldSlots(types: readonly CaseType[]): FieldSlot[] {
  const found = new Map<string, FieldSlot>();
  for (const slot of types.flatMap(slotsOf)) {
    const known = found.get(slot.name);
    found.set(slot.name, known === undefined ? slot : { ...known, types: [...known.types, ...slot.types], personal: known.personal || slot.personal });
  }
  return [...found.values()];
}

/** A part of a text: words, or a slot. */
export interface Piece { text: string; slot: string | null }
export function piecesOf(body: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const found of body.matchAll(SLOT)) {
    if (found.index > at) pieces.push({ text: body.slice(at, found.index), slot: null });
    pieces.push({ text: found[0], slot: found[1] ?? "" });
    at = found.index + found[0].length;
  }
  return at < body.length ? [...pieces, { text: body.slice(at), slot: null }] : pieces;
}
export const slotsIn = (body: string): string[] => [...new Set(piecesOf(body).flatMap((piece) => (piece.slot === null ? [] : [piece.slot])))];

/** A text with a slot in the place of what was marked, and where to go on writing. */
export function withSlot(body: string, slot: string, from: number, to: number): { body: string; at: number } {
  const word = `{${slot}}`;
  return { body: body.slice(0, from) + word + body.slice(to), at: from + word.length };
}

export const PARTS = ["title", "category", "department", "body"] as const;
export type Part = (typeof PARTS)[number];
type Parts = Pick<Answer, Part>;
/** What two versions differ in. */
export const differing = (one: Parts, other: Parts): Part[] => PARTS.filter((part) => (one[part] ?? "") !== (other[part] ?? ""));

/** What stands in the form: a template, or the beginning of a new one of a department. */
export const startOf = (answer: Answer | null, department: string | null): NewAnswer => (answer === null
  ? { title: "", body: "", category: "", department, version: 1 }
  : { title: answer.title, body: answer.body, category: answer.category, department: answer.department, version: answer.version });

/** Whether a template is for the chosen category or one below it; nothing chosen: all. */
export const fitsCategory = (answer: Pick<Answer, "category">, chosen: string): boolean => chosen === "" || answer.category === chosen || answer.category.startsWith(`${chosen}.`);
