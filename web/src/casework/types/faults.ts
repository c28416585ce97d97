// SPDX-License-Identifier: Apache-2.0
// Where a fault belongs: the part of the editor and the place in it. Pure.
import type { Fault } from "@/casework/types/model";

export const TABS = ["basics", "states", "form", "deadlines", "personal", "rules", "process", "try", "publish"] as const;
export type Tab = (typeof TABS)[number];
export interface Place { tab: Tab; anchor: string }

const word = (fault: Fault, name: string): string => String(fault.facts[name] ?? "");
const NAMED: Record<string, Place> = {
  initial: { tab: "basics", anchor: "initial" }, transfers: { tab: "rules", anchor: "transfers" }, merge: { tab: "rules", anchor: "merge" }, search: { tab: "form", anchor: "search" },
};
const ofMove = (fault: Fault): Place => NAMED[word(fault, "move")] ?? { tab: "states", anchor: `move:${word(fault, "move")}` };
const ofState = (fault: Fault): Place => ({ tab: "states", anchor: `state:${word(fault, "state")}` });
const PLACES: Record<string, (fault: Fault) => Place> = {
  "kernel.case_type_id_unusable": () => ({ tab: "basics", anchor: "name" }),
  "kernel.case_type_never_valid": () => ({ tab: "basics", anchor: "valid" }),
  "kernel.case_numbering_unusable": () => ({ tab: "basics", anchor: "numbering" }),
  "kernel.case_state_unknown": ofMove,
  "kernel.case_field_unknown": ofMove,
  "kernel.case_move_twice": ofMove,
  "kernel.case_move_for_nobody": ofMove,
  "kernel.case_move_assignee_unknown": ofMove,
  "kernel.case_state_unreachable": ofState,
  "kernel.case_never_closed": ofState,
  "kernel.case_merges_into_open": () => ({ tab: "rules", anchor: "merge" }),
  "kernel.form_exceeds_purpose": (fault) => ({ tab: "personal", anchor: `personal:${word(fault, "field")}` }),
  "kernel.form_without_purpose": () => ({ tab: "personal", anchor: "purpose" }),
  "kernel.case_personal_unreadable": () => ({ tab: "personal", anchor: "purpose" }),
};

export function placeOf(fault: Fault): Place {
  const known = PLACES[fault.code];
  if (known !== undefined) return known(fault);
  if (fault.code.startsWith("kernel.deadline_")) return { tab: "deadlines", anchor: `deadline:${word(fault, "rule")}` };
  if (fault.code.startsWith("kernel.process_") || fault.code.startsWith("kernel.condition_")) return { tab: "process", anchor: "process" };
  if (fault.code.startsWith("kernel.form_") || fault.code === "kernel.case_form_unusable") return { tab: "form", anchor: "json" };
  return { tab: "basics", anchor: "name" };
}
