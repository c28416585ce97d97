// SPDX-License-Identifier: Apache-2.0
// What an app adds to cases of its own types: `export const face: CaseFace` in its case.ts.
import type { Component } from "vue";
import type { Key } from "@/i18n";
import type { Detail } from "@/work/types";

/** An act of an app beside those of the case engine. */
export interface CaseAction { name: string; title: Key; shown?: (detail: Detail) => boolean; run: (detail: Detail) => void | Promise<void> }
/** `component` stands above the history with the props `caseId` and `detail`; it may emit `changed` to have the case read again. */
export interface CaseFace { type: string; component: Component; actions?: CaseAction[] }

const found = import.meta.glob<{ face: CaseFace }>("../apps/*/case.ts", { eager: true });
const faces: ReadonlyMap<string, CaseFace> = new Map(Object.values(found).map((one) => [one.face.type, one.face]));

export const faceOf = (type: string): CaseFace | null => faces.get(type) ?? null;
