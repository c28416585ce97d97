// SPDX-License-Identifier: Apache-2.0
// The words of what the audit log records, and what is asked of it.
import { knows, say } from "@/i18n";
import type { AuditAsked } from "@/people/ask";
import { momentOf } from "@/people/days";

export interface Fields { actor: string; act: string; object: string; department: string; from: string; to: string; words: string }
export const EMPTY: Fields = { actor: "", act: "", object: "", department: "", from: "", to: "", words: "" };

/** Fields of the form as the route takes them; times are the city's. */
export function askedOf(fields: Fields): AuditAsked {
  const { from, to, ...plain } = fields;
  const asked = Object.fromEntries(Object.entries(plain).map(([name, value]) => [name, value.trim()]).filter(([, value]) => value !== ""));
  const [since, until] = [momentOf(from), momentOf(to)];
  return { ...asked, ...(since === undefined ? {} : { since }), ...(until === undefined ? {} : { until }) };
}

export const deedWords = (act: string): string => (knows(`deed.${act}`) ? say(`deed.${act}`) : act);

/** Groups of acts that can be asked for as one. */
export const GROUPS = ["access", "people", "case", "privacy", "audit"] as const;
/** Acts that have words, for the choice of the form. */
export const DEEDS = [
  "access.signed_in", "access.signed_out", "access.sign_in_refused", "access.refused", "access.proved", "access.proof_refused", "access.password_refused", "access.code_refused",
  "access.acts_for", "access.session_ended", "access.flood", "access.token_given", "access.token_ended", "access.token_refused",
  "people.account_opened", "people.account_closed", "people.account_reopened", "people.password_given", "people.password_changed", "people.operator_given_password", "people.roles_set",
  "people.membership_given", "people.membership_taken", "people.delegated", "people.delegation_revoked", "people.sessions_ended",
  "people.second_factor_added", "people.second_factor_removed", "people.second_factor_reset", "people.role_saved", "people.role_removed",
  "people.department_added", "people.department_changed", "people.department_dissolved", "people.post_saved", "people.post_removed",
  "privacy.reveal", "privacy.export", "privacy.erase", "privacy.forget_due", "audit.search", "audit.export", "audit.purge",
] as const;
