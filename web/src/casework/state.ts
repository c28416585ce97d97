// SPDX-License-Identifier: Apache-2.0
// What every desk of casework needs once: types, departments, colleagues and counts; and what things are called.
import { computed, onBeforeUnmount, shallowReactive, shallowRef, watch } from "vue";
import type { ShallowRef } from "vue";
import { serverAhead } from "@/api/live";
import { text } from "@/i18n";
import { me } from "@/shell/access";
import { beat } from "@/time/seen";
import { cases } from "@/casework/ask";
import type { CaseRow, CaseType, Move, Work } from "@/casework/types";

export const work = shallowRef<Work | null>(null);
export const workFailure = shallowRef<unknown>(null);
/** Whose cases are one's own: the account that one acts for, else one's own; the name people read is `me.name`. */
export const account = computed(() => me.value.on_behalf_of ?? me.value.account ?? me.value.name ?? "");

const STEP_MS = 10_000;
/** The server's clock, in steps of ten seconds: enough for words of time, and lists are not drawn anew all the time. */
export const nowMs = computed(() => Math.floor((serverAhead.value === 0 ? Date.now() + 0 * beat.value : beat.value + serverAhead.value) / STEP_MS) * STEP_MS);

export async function loadWork(): Promise<void> {
  try {
    work.value = await cases.work();
    workFailure.value = null;
  } catch (failure) { workFailure.value = failure; }
}

/** Types of which an older version is needed, as they come. */
const older = shallowReactive(new Map<string, CaseType>());
const byId = computed(() => new Map((work.value?.types ?? []).map((type) => [type.id, type])));
const departments = computed(() => new Map((work.value?.departments ?? []).map((one) => [one.id, one])));
const colleagues = computed(() => new Map((work.value?.colleagues ?? []).map((one) => [one.account, one])));

export const typeOf = (id: string): CaseType | undefined => byId.value.get(id);
const asked = new Set<string>();
const keyOf = (id: string, version: number): string => `${id} ${version}`;
/** The type of a case in its own version, as far as it is known already; else the valid one. */
export const typeOfCase = (row: Pick<CaseRow, "type" | "type_version">): CaseType | undefined => {
  const valid = byId.value.get(row.type);
  return valid?.version === row.type_version ? valid : older.get(keyOf(row.type, row.type_version)) ?? valid;
};
/** Fetches an older version; without it the valid one still has most words. */
export async function needType(id: string, version: number): Promise<void> {
  if (byId.value.get(id)?.version === version || asked.has(keyOf(id, version))) return;
  asked.add(keyOf(id, version));
  const found = await cases.type(id, version).catch(() => null);
  if (found !== null) older.set(keyOf(id, version), found);
}

export const typeName = (id: string): string => text(typeOf(id)?.name ?? [...older.values()].find((type) => type.id === id)?.name) || id;
export const stateName = (row: Pick<CaseRow, "type" | "type_version">, state: string): string => text(typeOfCase(row)?.states[state]?.words) || state;
export const moveName = (move: Pick<Move, "name" | "words">): string => text(move.words) || move.name;
export const departmentName = (id: string | null): string => (id === null || id === "" ? "–" : text(departments.value.get(id)?.name) || id);
export const accountName = (name: string | null): string => (name === null || name === "" ? "–" : colleagues.value.get(name)?.shown_name || name);

export const departmentOptions = computed(() => (work.value?.departments ?? []).filter((one) => one.successor === null).map((one) => ({
  value: one.id, label: text(one.name) || one.id, hint: one.parent === null ? "" : departmentName(one.parent), find: [one.name.zh ?? "", one.name.en ?? "", one.id],
})));
export const colleagueOptions = (department: string | null) => (work.value?.colleagues ?? [])
  .map((one) => ({ one, near: department !== null && one.departments.includes(department) }))
  .sort((a, b) => Number(b.near) - Number(a.near) || a.one.account.localeCompare(b.one.account))
  .map(({ one }) => ({ value: one.account, label: one.shown_name || one.account, hint: one.departments.map(departmentName).join(" "), find: [one.account] }));

export interface Loaded<T> { value: ShallowRef<T | null>; failure: ShallowRef<unknown>; at: ShallowRef<number | null>; load: () => Promise<void> }

/** Something that is fetched, fetched anew when what it hangs on changes, and every so often while the page is looked at. */
export function useLoaded<T>(fetch: () => Promise<T>, on: () => unknown, everyMs: number): Loaded<T> {
  const value = shallowRef<T | null>(null);
  const failure = shallowRef<unknown>(null);
  const at = shallowRef<number | null>(null);
  let turn = 0;
  const load = async (): Promise<void> => {
    const mine = ++turn;
    try {
      const got = await fetch();
      if (mine !== turn) return;
      value.value = got;
      at.value = Date.now();
      failure.value = null;
    } catch (caught) { if (mine === turn) failure.value = caught; }
  };
  const stop = watch(on, () => { value.value = null; void load(); }, { immediate: true });
  const timer = window.setInterval(() => { if (!document.hidden) void load(); }, everyMs);
  onBeforeUnmount(() => { turn += 1; stop(); window.clearInterval(timer); });
  return { value, failure, at, load };
}
