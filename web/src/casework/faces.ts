// SPDX-License-Identifier: Apache-2.0
// What an app adds to cases of its own types: `export const face: CaseFace` in its case.ts.
import type { Component } from "vue";
import type { Key } from "@/i18n";
import type { Detail } from "@/casework/types";

/** An act of an app beside those of the case engine. */
export interface CaseAction { name: string; title: Key; shown?: (detail: Detail) => boolean; run: (detail: Detail) => void | Promise<void> }
/** How an app calls what stands in its cases as a code. They may be asked before it knows: then the answer changes by itself. */
export interface CaseWords { categories?: () => readonly string[]; category?: (id: string) => string; channel?: (id: string) => string }
/** `component` stands above the history with the props `caseId` and `detail`; it may emit `changed` to have the case read again. */
export interface CaseFace { type: string; component: Component; actions?: CaseAction[]; words?: CaseWords }

const found = import.meta.glob<{ face: CaseFace }>("../apps/*/case.ts", { eager: true });
const faces: ReadonlyMap<string, CaseFace> = new Map(Object.values(found).map((one) => [one.face.type, one.face]));

export const faceOf = (type: string): CaseFace | null => faces.get(type) ?? null;

/** A code in the words of the app of a type; as it is when no app has words for it. */
export const codeInWords = (kind: "category" | "channel", code: string, type: string): string => faces.get(type)?.words?.[kind]?.(code) ?? code;
/** The same where the type is not known: in the words of the first app that has other words for it. */
export function codeInAnyWords(kind: "category" | "channel", code: string): string {
  return [...faces.keys()].map((type) => codeInWords(kind, code, type)).find((words) => words !== code) ?? code;
}
/** The categories that apps know of, to choose from. */
export const knownCategories = (): string[] => [...new Set([...faces.values()].flatMap((face) => face.words?.categories?.() ?? []))];
