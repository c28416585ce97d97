// SPDX-License-Identifier: Apache-2.0
// What all desks of the hotline need to know: the tree of categories, departments, colleagues; loaded once and when asked.
import { computed, shallowRef } from "vue";
import type { Facts } from "@/api/types";
import { hotline } from "@/apps/hotline/ask";
import type { Category, Reason, Urgency } from "@/apps/hotline/types";
import { say, t, text } from "@/i18n";
import type { Key } from "@/i18n";
import type { Work } from "@/casework/types";

/** The department that takes every ticket in. */
export const DESK = "hotline";
export const TICKET = "hotline_ticket";
export const treeVersion = shallowRef(0);
const tree = shallowRef<ReadonlyMap<string, Category>>(new Map());
const work = shallowRef<Work>({ types: [], departments: [], colleagues: [], counts: [] });
export const catalogueFailure = shallowRef<unknown>(null);

export const categories = computed(() => [...tree.value.values()]);
export const colleagues = computed(() => work.value.colleagues);
export const counts = computed(() => work.value.counts);
/** Departments that can be chosen, and those that the tree names though nobody made them. */
export const departments = computed(() => {
  const found = new Map(work.value.departments.filter((one) => one.successor === null).map((one) => [one.id, text(one.name)]));
  for (const one of tree.value.values()) if (one.department !== "" && !found.has(one.department)) found.set(one.department, one.department);
  return [...found].map(([id, name]) => ({ id, name })).sort((a, b) => a.name.localeCompare(b.name));
});
/** Within how many seconds a call is to be answered, as the type of case promises. */
export const answerWithinS = computed(() => Number(work.value.types.find((one) => one.id === TICKET)?.extras["answer_within_s"] ?? 15));
const names = computed(() => new Map(work.value.departments.map((one) => [one.id, text(one.name)])));

export async function loadTree(): Promise<void> {
  const got = await hotline.categories();
  tree.value = new Map(got.categories.map((one) => [one.id, one]));
  treeVersion.value = got.version;
}

export async function loadCatalogue(): Promise<void> {
  try {
    await Promise.all([loadTree(), hotline.work().then((got) => { work.value = got; })]);
    catalogueFailure.value = null;
  } catch (failure) { catalogueFailure.value = failure; }
}

/** A category and those above it, the narrowest first. */
export function lineOf(id: string): Category[] {
  const parts = id.split(".");
  return parts.map((_, i) => tree.value.get(parts.slice(0, parts.length - i).join("."))).filter((one) => one !== undefined);
}

export function categoryPath(id: string): string {
  if (id === "") return t("hotline.no_category");
  const line = lineOf(id);
  return line.length === 0 ? id : line.reverse().map((one) => text(one.name)).join(" / ");
}

export const categoryName = (id: string): string => (id === "" ? t("hotline.no_category") : text(tree.value.get(id)?.name) || id);
export const departmentOf = (id: string): string => lineOf(id).find((one) => one.department !== "")?.department ?? "";
export const urgencyOf = (id: string): Urgency => lineOf(id).find((one) => one.urgency !== null)?.urgency ?? "general";
export const departmentName = (id: string): string => (id === "" ? t("hotline.whole_city") : names.value.get(id) || id);
export const colleagueName = (account: string): string => work.value.colleagues.find((one) => one.account === account)?.shown_name || account;

export function stateName(state: string): string {
  const type = work.value.types.find((one) => one.id === TICKET);
  return text(type?.states[state]?.words) || state;
}

const CONDITIONS: Record<string, (value: string) => string> = {
  category: categoryPath,
  channel: (value) => value.split(", ").map((one) => t(`hotline.channel.${one}` as Key)).join(t("value.join")),
  urgency: (value) => value.split(", ").map((one) => t(`hotline.urgency.${one}` as Key)).join(t("value.join")),
  days: (value) => t(`hotline.days.${value}` as Key),
};

/** `category water; hours 18:00–08:00` in words. */
function conditionsOf(written: string): string {
  return written.split("; ").filter((one) => one !== "").map((one) => {
    const [name = "", ...rest] = one.split(" ");
    const value = rest.join(" ");
    return `${t(`routing.if.${name}` as Key)} ${CONDITIONS[name]?.(value) ?? value}`;
  }).join("; ");
}

/** Why a department was chosen, with names for ids. */
export function reasonWords(because: Reason): string {
  const facts: Facts = { ...because.facts };
  if (typeof facts["department"] === "string") facts["department"] = departmentName(facts["department"]);
  if (typeof facts["category"] === "string") facts["category"] = categoryPath(facts["category"]);
  if (typeof facts["conditions"] === "string") facts["conditions"] = conditionsOf(facts["conditions"]);
  return say(because.code, facts);
}
