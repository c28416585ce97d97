// SPDX-License-Identifier: Apache-2.0
// The routing table while it is edited: what was in force, what it became, and how narrow a rule is.
import { computed, ref, shallowRef } from "vue";
import { Refusal } from "@/api/client";
import { hotline } from "@/apps/hotline/ask";
import { categoryPath, loadTree, treeVersion } from "@/apps/hotline/catalogue";
import type { Category, Diff, Rule, Rules } from "@/apps/hotline/types";
import { copied } from "@/kit/lists";
import { act } from "@/shell/access";
import { t } from "@/i18n";
import type { Key } from "@/i18n";

export const inForce = shallowRef<Rules | null>(null);
export const rules = ref<Rule[]>([]);
export const chosen = ref<number | null>(null);
export const diff = shallowRef<Diff | null>(null);
/** What somebody else saved while we edited. */
export const theirs = shallowRef<Rules | null>(null);

export const changed = computed(() => inForce.value !== null && JSON.stringify(rules.value) !== JSON.stringify(inForce.value.rules));
export const one = computed(() => rules.value.find((rule) => rule.number === chosen.value) ?? null);

export async function load(): Promise<void> {
  if (changed.value) return;
  start(await hotline.rules());
}
export function start(from: Rules): void {
  inForce.value = from;
  rules.value = copied(from.rules);
  theirs.value = diff.value = null;
  if (one.value === null) chosen.value = null;
}
export function add(): void {
  const number = Math.max(0, ...rules.value.map((rule) => rule.number)) + 1;
  rules.value.push({ number, department: "", category: "", area: [], area_name: "", channels: [], urgencies: [], words: [], from_: null, until: null, days: "all", active: true });
  chosen.value = number;
}
export function remove(number: number): void {
  rules.value = rules.value.filter((rule) => rule.number !== number);
  if (chosen.value === number) chosen.value = null;
}
/** The number decides between rules that are equally narrow: two that change places change numbers. */
export function move(number: number, by: -1 | 1): void {
  const at = rules.value.findIndex((rule) => rule.number === number);
  const [a, b] = [rules.value[at], rules.value[at + by]];
  if (a === undefined || b === undefined) return;
  [a.number, b.number] = [b.number, a.number];
  rules.value = [...rules.value].sort((x, y) => x.number - y.number);
  chosen.value = a.number;
}

export async function tryOut(): Promise<void> {
  await act(async () => { diff.value = await hotline.dryRun(inForce.value?.version ?? 0, rules.value); });
}
/** Saves on top of a version; when there is a newer one it is shown beside ours, and nothing of ours is lost. */
export async function save(on = inForce.value?.version ?? 0): Promise<void> {
  await act(async () => {
    try {
      start(await hotline.putRules(on, rules.value));
    } catch (failure) {
      if (failure instanceof Refusal && failure.status === 409) theirs.value = await hotline.rules();
      throw failure;
    }
  });
}

/** In which numbers two tables differ. */
export function differences(ours: readonly Rule[], other: readonly Rule[]): { number: number; ours: Rule | null; theirs: Rule | null }[] {
  const numbers = [...new Set([...ours, ...other].map((rule) => rule.number))].sort((a, b) => a - b);
  return numbers.map((number) => ({ number, ours: ours.find((rule) => rule.number === number) ?? null, theirs: other.find((rule) => rule.number === number) ?? null }))
    .filter((pair) => JSON.stringify(pair.ours) !== JSON.stringify(pair.theirs));
}

const NAMED: [Key, (rule: Rule) => boolean][] = [
  ["routing.if.area", (rule) => rule.area.length > 0], ["routing.if.channel", (rule) => rule.channels.length > 0], ["routing.if.urgency", (rule) => rule.urgencies.length > 0],
  ["routing.if.hours", (rule) => rule.from_ !== null], ["routing.if.days", (rule) => rule.days !== "all"],
];
/** How narrow a rule is, as the server counts it: levels of the category and each further condition one; words decide between equals. */
export function specificity(rule: Rule): { points: number; because: string } {
  const levels = rule.category === "" ? 0 : rule.category.split(".").length;
  const named = NAMED.filter(([, is]) => is(rule)).map(([key]) => t(key));
  const parts = [...(levels > 0 ? [t("routing.levels", { n: levels })] : []), ...named, ...(rule.words.length > 0 ? [t("routing.words_between_equals")] : [])];
  return { points: levels + named.length, because: parts.length === 0 ? t("routing.fits_all") : parts.join(" + ") };
}

const CONDITIONS: ((rule: Rule) => string)[] = [
  (rule) => (rule.category === "" ? "" : categoryPath(rule.category)),
  (rule) => rule.area_name || (rule.area.length > 0 ? t("routing.corners", { n: rule.area.length }) : ""),
  (rule) => rule.channels.map((one) => t(`hotline.channel.${one}` as Key)).join("/"),
  (rule) => rule.urgencies.map((one) => t(`hotline.urgency.${one}` as Key)).join("/"),
  (rule) => (rule.words.length === 0 ? "" : t("routing.with_words", { words: rule.words.join("、") })),
  (rule) => (rule.from_ === null || rule.until === null ? "" : `${rule.from_.slice(0, 5)}–${rule.until.slice(0, 5)}`),
  (rule) => (rule.days === "all" ? "" : t(`hotline.days.${rule.days}`)),
];
export const conditionsWords = (rule: Rule): string => CONDITIONS.map((words) => words(rule)).filter((one) => one !== "").join(" · ") || t("routing.everything");

/** Corners as a person writes them: one `longitude, latitude` a line. Null for what is none. */
export function cornersOf(written: string): [number, number][] | null {
  const lines = written.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const found = lines.map((line) => line.split(/[,，\s]+/).map(Number));
  const bad = found.some(([x, y, ...rest]) => x === undefined || y === undefined || rest.length > 0 || !(Math.abs(x) <= 180 && Math.abs(y) <= 90));
  return bad || (found.length > 0 && found.length < 3) ? null : (found as [number, number][]);
}
export const wordsOf = (written: string): string[] => written.split(/[,，、;；\n]+/).map((one) => one.trim()).filter((one) => one !== "");

export async function saveTree(categories: Category[], version = treeVersion.value): Promise<void> {
  await act(async () => { await hotline.putCategories(version, categories); await loadTree(); });
}
