// SPDX-License-Identifier: Apache-2.0
// What is typed into a form that is not sent yet: kept in this browser with every change.
import { watch } from "vue";
import type { Ref } from "vue";

/** What was typed before; null for nothing, or for what no form can take any more. */
export function typedAt<T>(key: string, whole: (kept: T) => T): T | null {
  try {
    const kept = localStorage.getItem(key);
    return kept === null ? null : whole(JSON.parse(kept) as T);
  } catch { return null; }
}
export const forgetTyped = (key: string): void => { localStorage.removeItem(key); };
/** While the form is open, what differs from its beginning is kept, and only that. */
export function keepTyped(form: Ref<unknown>, key: () => string, isOpen: Ref<boolean>, isChanged: Ref<boolean>): void {
  watch(form, () => {
    if (!isOpen.value) return;
    if (isChanged.value) localStorage.setItem(key(), JSON.stringify(form.value));
    else forgetTyped(key());
  }, { deep: true });
}
