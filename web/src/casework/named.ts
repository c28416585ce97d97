// SPDX-License-Identifier: Apache-2.0
// Refusals of the case engine tell ids; people read names.
import { Refusal } from "@/api/client";
import type { Facts } from "@/api/types";
import { say } from "@/i18n";
import { accountName, departmentName, moveName, stateName, typeOfCase } from "@/casework/state";
import type { CaseRow } from "@/casework/types";

type Of = Pick<CaseRow, "type" | "type_version">;
const move = (of: Of | undefined, name: unknown): string => {
  const found = of === undefined ? undefined : typeOfCase(of)?.moves.find((one) => one.name === name);
  return found === undefined ? say(`work.verb.${String(name)}`, {}, String(name)) : moveName(found);
};
const SPOKEN: Record<string, (value: unknown, of: Of | undefined) => unknown> = {
  state: (value, of) => (of === undefined ? value : stateName(of, String(value))),
  department: (value) => departmentName(String(value ?? "")),
  assignee: (value) => accountName(String(value ?? "")),
  by: (value) => accountName(String(value ?? "")),
  move: (value, of) => move(of, value),
  verb: (value) => say(`work.verb.${String(value)}`, {}, String(value)),
  moves: (value, of) => (Array.isArray(value) ? value.map((name) => move(of, name)) : value),
  missing: (value) => (Array.isArray(value) ? value.map((name) => say(`work.part.${String(name)}`, {}, String(name))) : value),
};

/** Facts with names where ids stood; `of` is the case that is spoken of. */
export const named = (facts: Facts, of?: Of): Facts => Object.fromEntries(Object.entries(facts).map(([slot, value]) => [slot, SPOKEN[slot]?.(value, of) ?? value]));

/** A refusal with names; whatever else it is stays as it is. */
export const spoken = (failure: unknown, of?: Of): unknown => (failure instanceof Refusal && failure.code.startsWith("kernel.case_") ? new Refusal(failure.status, failure.code, named(failure.facts, of), failure.request) : failure);
