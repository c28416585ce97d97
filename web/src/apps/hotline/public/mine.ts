// SPDX-License-Identifier: Apache-2.0
// Links of reports that this phone remembers, because somebody asked it to.
import { ref } from "vue";
import type { Given } from "@/apps/hotline/public/types";
import { remember, remembered } from "@/citizen/state";

const PLACE = "citybrain.citizen.mine";
const MOST = 50;

function kept(): Given[] {
  try { return JSON.parse(remembered(PLACE) ?? "[]") as Given[]; } catch { return []; }
}
export const mine = ref<Given[]>(kept());

function put(all: Given[]): void {
  mine.value = all.slice(0, MOST);
  remember(PLACE, all.length === 0 ? null : JSON.stringify(mine.value));
}
export function keepMine(given: Given): void {
  put([given, ...mine.value.filter((each) => each.link !== given.link)]);
}
export function forgetMine(link: string): void {
  put(mine.value.filter((each) => each.link !== link));
}
export const isMine = (link: string): boolean => mine.value.some((each) => each.link === link);
export const addressOf = (link: string): string => `${location.origin}/citizen/follow/${link}`;

/** The secret in what somebody pasted: a whole link, or the last part of one. */
export function secretIn(pasted: string): string {
  return pasted.trim().replace(/[?#].*$/, "").replace(/\/+$/, "").split("/").pop() ?? "";
}
