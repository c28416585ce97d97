// SPDX-License-Identifier: Apache-2.0
// How many notices one has not read; looked at every minute while the page is looked at.
import { ref } from "vue";
import { signedIn } from "@/shell/access";
import { notices } from "@/work/duty";

export const unread = ref(0);
const EVERY_MS = 60_000;
let isRunning = false;

export async function lookUnread(): Promise<void> {
  if (!signedIn.value || document.hidden) return;
  const found = await notices.unread().catch(() => null);
  if (found !== null) unread.value = found.count;
}
export function watchUnread(): void {
  if (isRunning) return;
  isRunning = true;
  void lookUnread();
  window.setInterval(() => { void lookUnread(); }, EVERY_MS);
}
