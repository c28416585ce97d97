// SPDX-License-Identifier: Apache-2.0
// What the rail knows of warnings: how many messages wait aside for somebody to decide.
import { ref, watch } from "vue";
import { warnings } from "@/doors/cap/ask";
import { knows } from "@/i18n";
import { may } from "@/shell/access";

export const READS = "cap.restricted";
export const DECIDES = "cap.quarantine";
export const waiting = ref(0);
const EVERY_MS = 60_000;

/** The words of a door come with it: without the CAP door there is nothing to show. */
export const hasDoor = (): boolean => knows(`permission.${READS}`);
export async function countWaiting(): Promise<void> {
  if (document.hidden || !hasDoor() || !may(DECIDES)) return;
  const found = await warnings.aside(false).catch(() => null);
  if (found !== null) waiting.value = found.length;
}
export function watchWaiting(): void {
  watch(() => hasDoor() && may(DECIDES), () => { waiting.value = 0; void countWaiting(); }, { immediate: true });
  window.setInterval(() => { void countWaiting(); }, EVERY_MS);
}
