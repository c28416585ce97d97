// SPDX-License-Identifier: Apache-2.0
// Filters that somebody kept under a name, in their own browser.
import { shallowRef, watch } from "vue";
import { me } from "@/shell/access";

export interface Saved { name: string; words: string }
const place = (): string => `citybrain.alarm_filters.${me.value.account ?? ""}`;

function read(): readonly Saved[] {
  try { return JSON.parse(localStorage.getItem(place()) ?? "[]") as Saved[]; } catch { return []; }
}
export const saved = shallowRef<readonly Saved[]>([]);
export const watchSaved = (): (() => void) => watch(() => me.value.account, () => { saved.value = read(); }, { immediate: true });

function keep(next: readonly Saved[]): void {
  saved.value = next;
  localStorage.setItem(place(), JSON.stringify(next));
}
export const save = (name: string, words: string): void => { keep([...saved.value.filter((one) => one.name !== name), { name, words }]); };
export const forget = (name: string): void => { keep(saved.value.filter((one) => one.name !== name)); };
