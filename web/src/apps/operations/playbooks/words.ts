// SPDX-License-Identifier: Apache-2.0
// Lines and conditions of playbooks in words, and what two versions differ in.
import { nameOf } from "@/api/live";
import { kindWords } from "@/alarms/words";
import { NEAREST, paired, settled, targetKind, whole } from "@/apps/operations/playbooks/editing";
import type { LinePair } from "@/apps/operations/playbooks/editing";
import type { After, Conditions, Line, OnlyIf, Playbook, When } from "@/apps/operations/playbooks/types";
import { dayTime, knows, say, t, text, wordsUnder } from "@/i18n";
import type { Key } from "@/i18n";
import type { Because, Text } from "@/api/types";
import { same } from "@/kit/lists";
import { meansWords, parametersWords } from "@/orders/means";

const join = (parts: readonly string[]): string => parts.filter((one) => one !== "").join(" · ");
/** A skill that teams have, as in `nearest:tow`. */
export const skillWords = (skill: string): string => (knows(`order.choice.${skill}`) ? say(`order.choice.${skill}`) : skill);
export function targetWords(target: string): string {
  const kind = targetKind(target);
  if (kind === "nearest") return t("playbook.nearest_of", { what: skillWords(target.slice(NEAREST.length)) });
  return kind === "entity" ? nameOf(target) : t(`playbook.target.${kind}`);
}
/** A kind in words; `traffic.*` is all of an app, `*.silent` what several apps call so. */
export function kindOrGroup(kind: string): string {
  if (kind.endsWith(".*")) return t("playbook.all_of", { what: kind.slice(0, -2) });
  const known = kind.startsWith("*.") ? wordsUnder("kind.").find((one) => one.endsWith(kind.slice(1))) : undefined;
  return kindWords(known ?? kind);
}
export function kindOptions(): { value: string; label: string; find: string[] }[] {
  const names = wordsUnder("kind.");
  const groups = [...new Set(names.map((name) => `${name.split(".")[0] ?? ""}.*`))];
  return [...names, ...groups].map((value) => ({ value, label: kindOrGroup(value), find: [value] })).sort((a, b) => a.label.localeCompare(b.label));
}

export function afterWords(after: After | null | undefined): string {
  if (after == null) return "";
  const minutes = after.minutes ?? 0;
  if (after.line == null) return minutes > 0 ? t("playbook.after_minutes", { n: minutes }) : "";
  const line = t("playbook.after_line", { line: after.line, state: t(`playbook.reached.${after.state ?? "executed"}`) });
  return minutes > 0 ? `${line} + ${t("playbook.minutes_n", { n: minutes })}` : line;
}
export function onlyIfWords(only: OnlyIf | null | undefined): string {
  if (only == null) return "";
  return join([only.event_open === false ? t("playbook.only.over") : "", conditionsWords(only)]);
}
/** What of the pool, of the evidence, of the roads around and of time must be so. */
export function conditionsWords({ value, evidence, net, minutes }: Conditions): string {
  const told = Object.entries(evidence ?? {}).filter(([name]) => name !== "").map(([name, one]) => t("playbook.evidence_is", { name, value: [one].flat().join(" / ") }));
  const compared = value == null ? "" : `${t(`playbook.on.${value.on ?? "entity"}`)} ${value.attribute} ${t(`playbook.is.${value.is}`)} ${value.value}`;
  return join([compared, ...told, net == null ? "" : t("playbook.has_room"), (minutes ?? 0) > 0 ? t("playbook.lasts_minutes", { n: minutes ?? 0 }) : ""]);
}
export const conditionOf = (line: Line): string => join([afterWords(line.after), onlyIfWords(line.only_if)]) || t("playbook.at_once");
export function approvalWords(line: Pick<Line, "approval" | "approve_minutes" | "alone_if">): string {
  if (line.approval === "none") return t("playbook.approval.none");
  return join([t(`playbook.approval.${line.approval}`), t("playbook.minutes_n", { n: line.approve_minutes }), line.alone_if == null ? "" : t("playbook.alone_if", { what: conditionsWords(line.alone_if) })]);
}

export function hoursWords(when: When): string {
  return (when.hours ?? []).map((one) => `${one.from}–${one.to}${one.days === "all" ? "" : ` ${t(`playbook.days.${one.days}`)}`}`).join(", ");
}
export function placesWords(when: When): string {
  const places = when.places;
  if (places == null) return "";
  return join([(places.entity_ids ?? []).map(nameOf).join(", "), (places.types ?? []).join(", "), places.area == null ? "" : t("playbook.an_area")]);
}
export const whenWords = (when: When): string => join([when.kinds.map(kindOrGroup).join(", "), (when.severities ?? []).map((one) => t(`severity.${one}`)).join("/"), placesWords(when), hoursWords(when)]);

/** What the server names in one line (`kind a, b; severity I`) for logs, as a reader wants it. */
const NAMED: Record<string, (one: string) => string> = { kind: kindOrGroup, severity: (one) => say(`severity.${one}`, {}, one), entity: nameOf, area: () => t("playbook.an_area") };
export function namedConditions(line: string): string {
  return join(line.split("; ").map((part) => {
    const [name = "", ...rest] = part.split(" ");
    return rest.join(" ").split(", ").map(NAMED[name] ?? ((one) => one)).join(t("value.join"));
  }));
}
/** Why a playbook counts, in words. */
export function becauseWords({ code, facts }: Because): string {
  const conditions = facts["conditions"];
  return say(code, typeof conditions === "string" ? { ...facts, conditions: namedConditions(conditions) } : facts);
}

export interface Difference { what: string; before: string; after: string }
const both = (name: Text | null | undefined): string => Object.values(name ?? {}).filter((one) => one !== "").join(" / ");
const HEAD: readonly [Key, (playbook: Playbook) => string][] = [
  ["playbook.name", (one) => both(one.name)], ["alarms.kind", (one) => one.when.kinds.map(kindOrGroup).join(", ")], ["alarms.severity", (one) => (one.when.severities ?? []).join(", ")],
  ["playbook.places", (one) => placesWords(one.when)], ["playbook.hours", (one) => hoursWords(one.when)], ["playbook.note", (one) => both(one.note)],
  ["playbook.validity", (one) => (one.valid_from == null && one.valid_until == null ? "" : t("playbook.valid", { from: one.valid_from == null ? "…" : dayTime(one.valid_from), until: one.valid_until == null ? "…" : dayTime(one.valid_until) }))],
];
const PARTS: readonly [Key, (line: Line) => string][] = [
  ["playbook.target", (line) => targetWords(line.target)], ["playbook.parameters", (line) => parametersWords(line)], ["playbook.condition", conditionOf], ["playbook.approval", approvalWords], ["playbook.undo", (line) => join([t(line.undo ? "value.yes" : "value.no"), line.undo_if_missed === true ? t("playbook.undo_if_missed") : ""])],
  ["playbook.answer_s", (line) => t("playbook.seconds_n", { n: line.answer_s })], ["playbook.note", (line) => text(line.note)],
];
export const lineWords = (line: Line): string => join([meansWords(line.means), targetWords(line.target), conditionOf(line), approvalWords(line)]);

const areaWords = (playbook: Playbook): string => (playbook.when.places?.area == null ? "" : t("playbook.an_area"));
function headDifferences(before: Playbook, after: Playbook): Difference[] {
  const head = HEAD.map(([key, words]) => ({ what: t(key), before: words(before), after: words(after) })).filter((one) => one.before !== one.after);
  const isSame = same(before.when.places?.area ?? null, after.when.places?.area ?? null);
  return isSame ? head : [...head, { what: t("playbook.area"), before: areaWords(before), after: areaWords(after) }];
}
function lineDifferences({ before: old, after: now }: LinePair): Difference[] {
  if (old !== null && now !== null) {
    const what = join([t("playbook.line_n", { n: now.number }), meansWords(now.means)]);
    return PARTS.map(([key, words]) => ({ what: `${what} · ${t(key)}`, before: words(old), after: words(now) })).filter((one) => one.before !== one.after);
  }
  const [was, is] = [old === null ? "" : lineWords(old), now === null ? "" : lineWords(now)];
  return [{ what: t("playbook.line_n", { n: (now ?? old)?.number ?? 0 }), before: was, after: is }];
}
/** What two versions differ in, the head first, then line by line. */
export function differences(from: Playbook, to: Playbook): Difference[] {
  const [before, after] = [settled(whole(from)), settled(whole(to))];
  return [...headDifferences(before, after), ...paired(before.lines, after.lines).flatMap(lineDifferences)];
}
