// SPDX-License-Identifier: Apache-2.0
// Something that is fetched, fetched anew when what it hangs on changes, and again and again while the screen is seen.
import { onBeforeUnmount, shallowRef, watch } from "vue";
import type { ShallowRef } from "vue";

export interface Loaded<T> { value: ShallowRef<T | null>; failure: ShallowRef<unknown>; load: () => Promise<void> }

/** `everyMs` 0 fetches only when `on` changes. What was shown stays until something newer is there. */
export function useLoaded<T>(fetch: () => Promise<T>, on: () => unknown, everyMs = 0): Loaded<T> {
  const value = shallowRef<T | null>(null);
  const failure = shallowRef<unknown>(null);
  let turn = 0;
  const load = async (): Promise<void> => {
    const mine = ++turn;
    try {
      const got = await fetch();
      if (mine !== turn) return;
      value.value = got;
      failure.value = null;
    } catch (caught) { if (mine === turn) failure.value = caught; }
  };
  const stop = watch(on, () => { value.value = null; void load(); }, { immediate: true });
  const timer = everyMs > 0 ? window.setInterval(() => { if (!document.hidden) void load(); }, everyMs) : 0;
  onBeforeUnmount(() => { turn += 1; stop(); window.clearInterval(timer); });
  return { value, failure, load };
}

/** An act with its state: one at a time, its refusal kept. Answers whether it was done. */
export function useAct(): { busy: ShallowRef<boolean>; refused: ShallowRef<unknown>; run: (doIt: () => Promise<unknown>) => Promise<boolean> } {
  const busy = shallowRef(false);
  const refused = shallowRef<unknown>(null);
  const run = async (doIt: () => Promise<unknown>): Promise<boolean> => {
    if (busy.value) return false;
    busy.value = true;
    refused.value = null;
    try { await doIt(); return true; } catch (caught) { refused.value = caught; return false; } finally { busy.value = false; }
  };
  return { busy, refused, run };
}
