// SPDX-License-Identifier: Apache-2.0
// Categories as citizens see them: the narrowest ones, found by the words people use.
import { shallowRef } from "vue";
import { hotline } from "@/apps/hotline/public/api";
import type { Category } from "@/apps/hotline/public/types";
import { text } from "@/citizen/words";

const SUGGESTED = 4;
const FOUND = 12;

export const categories = shallowRef<Category[]>([]);
export async function loadCategories(): Promise<void> {
  if (categories.value.length === 0) categories.value = await hotline.categories().catch(() => []);
}

const above = (id: string): string => id.slice(0, Math.max(0, id.lastIndexOf(".")));
const named = (id: string): Category | undefined => categories.value.find((each) => each.id === id);

export function nameOf(id: string): string {
  return text(named(id)?.name);
}

/** The name of the widest category that one belongs to. */
export function groupOf(id: string): string {
  return nameOf(id.split(".")[0] ?? "");
}

/** Those that have none below them. */
export function narrowest(all: readonly Category[]): Category[] {
  const parents = new Set(all.map((each) => above(each.id)));
  return all.filter((each) => !parents.has(each.id));
}

const spoken = (category: Category): string[] => [...category.words, category.name.zh ?? "", category.name.en ?? ""].filter((word) => word.length > 1).map((word) => word.toLowerCase());

/** Those whose words stand in what was written, the longest word first. */
export function suggested(all: readonly Category[], written: string): Category[] {
  const said = written.toLowerCase();
  const weighed = narrowest(all).map((each) => ({ each, weight: Math.max(0, ...spoken(each).filter((word) => said.includes(word)).map((word) => word.length)) }));
  return weighed.filter(({ weight }) => weight > 0).sort((a, b) => b.weight - a.weight).slice(0, SUGGESTED).map(({ each }) => each);
}

/** Those in whose words or names something stands. */
export function searched(all: readonly Category[], words: string): Category[] {
  const wanted = words.trim().toLowerCase();
  if (wanted === "") return [];
  return narrowest(all).filter((each) => [...spoken(each), ...spokenAbove(all, each.id)].some((word) => word.includes(wanted))).slice(0, FOUND);
}

function spokenAbove(all: readonly Category[], id: string): string[] {
  const parent = all.find((each) => each.id === above(id));
  return parent === undefined ? [] : [...spoken(parent), ...spokenAbove(all, parent.id)];
}
