// SPDX-License-Identifier: Apache-2.0
// What a wall shows: of each severity the oldest alarms that wait for people, asked for by whoever looks, without an account.
import { onBeforeUnmount, ref, shallowRef } from "vue";
import type { Ref, ShallowRef } from "vue";
import { alarmEars, link } from "@/api/live";
import { alarms } from "@/alarms/ask";
import type { Alarm, AlarmPage } from "@/alarms/types";
import { SEVERITIES } from "@/kit/severity";

const LOOK_MS = 1_000;
const ANYWAY_MS = 15_000;
/** As many of one severity as the largest wall has rows. */
const MOST = "60";
const question = (severity: string): URLSearchParams => new URLSearchParams({ state: "open", handling: "new,acknowledged,taken", severity, sort: "at", limit: MOST });

/** The worst first, of those the oldest: pages come one for each severity, in that order. */
export function stacked(pages: readonly AlarmPage[]): { rows: Alarm[]; total: number } {
  const groups = new Set<string>();
  // Of a wave the first one stands for all of it.
  const rows = pages.flatMap((page) => page.rows).filter((alarm) => {
    if (alarm.group == null) return true;
    return !groups.has(alarm.group) && groups.add(alarm.group).size > 0;
  });
  return { rows, total: pages.reduce((sum, page) => sum + page.total, 0) };
}
/** How many alarms some rows stand for. */
export const standFor = (rows: readonly Alarm[]): number => rows.reduce((sum, alarm) => sum + (alarm.group == null ? 1 : Math.max(1, alarm.group_size)), 0);

export interface Standing { rows: ShallowRef<readonly Alarm[]>; total: Ref<number>; isBroken: Ref<boolean> }

export function useStanding(): Standing {
  const [rows, total, isBroken] = [shallowRef<readonly Alarm[]>([]), ref(0), ref(false)];
  let [isStale, askedMs, isBusy] = [true, 0, false];
  async function look(): Promise<void> {
    const now = performance.now();
    if (isBusy || link.value.state !== "live" || (!isStale && now - askedMs < ANYWAY_MS)) return;
    [isBusy, isStale, askedMs] = [true, false, now];
    const pages = await Promise.all(SEVERITIES.map((severity) => alarms.find(question(severity)))).catch(() => null);
    isBusy = false;
    isBroken.value = pages === null;
    if (pages === null) return;
    const found = stacked(pages);
    [rows.value, total.value] = [found.rows, found.total];
  }
  const hear = (): void => { isStale = true; };
  alarmEars.add(hear);
  const timer = window.setInterval(() => { void look(); }, LOOK_MS);
  onBeforeUnmount(() => { alarmEars.delete(hear); window.clearInterval(timer); });
  return { rows, total, isBroken };
}

const SHIFT_PX = 6;
const STEPS: readonly (readonly [number, number])[] = [[0, 0], [1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0], [-1, -1], [0, -1]];
/** A picture that never moves burns in: it is moved by a few pixels every few minutes. */
export function shiftAt(minute: number): [number, number] {
  const [x, y] = STEPS[Math.floor(minute / 3) % STEPS.length] ?? [0, 0];
  return [x * SHIFT_PX, y * SHIFT_PX];
}

export const PARTS = ["alarms", "map", "figures"] as const;
export type Part = (typeof PARTS)[number];
/** A video wall may show one part per screen: `?only=map`. */
export const partsOf = (asked: string): readonly Part[] => {
  const wanted = asked.split(",");
  const found = PARTS.filter((part) => wanted.includes(part));
  return found.length === 0 ? PARTS : found;
};

/** The token in a fragment; empty where there is none. A screen that nobody signs in at shows figures by a service's token:
 * `/wall#token=…`. The server never sees a fragment, and no storage keeps it: the screen's start address has it. */
export const tokenOf = (fragment: string): string => new URLSearchParams(fragment.replace(/^#/, "")).get("token") ?? "";
