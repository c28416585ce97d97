// SPDX-License-Identifier: Apache-2.0
// Limits in plain words: how long, from when to when, whom it tells.
import { say, t } from "@/i18n";
import { eventWords, recipientWords } from "@/casework/types/editing";
import type { Deadline, Definition } from "@/casework/types/model";

export const UNITS = ["min", "h", "d", "wh", "wd"] as const;
export const LENGTH = /^([0-9]{1,5})(min|h|d|wh|wd)$/;
/** A length in words: "3wd" are three working days. */
export function lengthWords(length: string): string {
  const found = LENGTH.exec(length);
  return found === null || Number(found[1]) === 0 ? `“${length}”` : say(`types.length.${found[2]}`, { n: Number(found[1]) });
}
const warnWords = (warn: string): string => (warn.endsWith("%") ? t("types.warn_share", { n: Number(warn.slice(0, -1)) }) : t("types.warn_before", { length: lengthWords(warn) }));
const joined = (words: readonly string[]): string => words.join(t("value.join"));

function meant(rule: Deadline): string {
  const parts = [
    ...(rule.priorities.length > 0 ? [t("types.for_priorities", { priorities: joined(rule.priorities.map((one) => say(`work.priority.${one}`))) })] : []),
    ...(rule.channels.length > 0 ? [t("types.for_channels", { channels: joined(rule.channels.map((one) => say(`hotline.channel.${one}`, {}, one))) })] : []),
    ...(rule.categories.length > 0 ? [t("types.for_categories", { categories: joined(rule.categories) })] : []),
  ];
  return parts.length === 0 ? t("types.for_all") : parts.join(t("value.join"));
}
/** All that a rule says, sentence by sentence. */
export function ruleWords(of: Definition, rule: Deadline): string[] {
  const events = (list: readonly string[]): string => joined(list.map((event) => eventWords(of, event)));
  const told = (to: readonly string[]): string => (to.length === 0 ? t("types.nobody") : joined(to.map(recipientWords)));
  return [
    t("types.rule_says", { who: meant(rule), within: lengthWords(rule.within), begins: events(rule.begins), ends: events(rule.ends) }),
    t(rule.pauses ? "types.rule_pauses" : "types.rule_runs_on"),
    ...(rule.warn.length > 0 ? [t("types.rule_warns", { when: joined(rule.warn.map(warnWords)), to: told(rule.warn_to) })] : []),
    ...rule.escalate.map((step) => (step.after === null || step.after === "" ? t("types.rule_escalates", { to: told(step.to) }) : t("types.rule_escalates_after", { length: lengthWords(step.after), to: told(step.to) }))),
  ];
}
