// SPDX-License-Identifier: Apache-2.0
// How many notices one has not read; looked at when somebody signs in and every minute while the page is looked at.
import { ref, watch } from "vue";
import { me, signedIn } from "@/shell/access";
import { notices } from "@/casework/duty";

export const unread = ref(0);
const EVERY_MS = 60_000;

export async function lookUnread(): Promise<void> {
  const found = signedIn.value && !document.hidden ? await notices.unread().catch(() => null) : null;
  if (found !== null) unread.value = found.count;
}
export function watchUnread(): void {
  watch(() => me.value.account, () => { unread.value = 0; void lookUnread(); }, { immediate: true });
  window.setInterval(() => { void lookUnread(); }, EVERY_MS);
}
