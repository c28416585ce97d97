// SPDX-License-Identifier: Apache-2.0
// Something fetched, and an act that is under way: what every screen of this room needs.
import { ref, shallowRef, watch } from "vue";
import type { Ref, ShallowRef } from "vue";
import { act } from "@/shell/access";

export interface Loaded<T> { value: ShallowRef<T | null>; failure: ShallowRef<unknown>; load: () => Promise<void> }

/** Fetched once it may be (for whoever is signed in then) and whenever `load` is called; what was there stays while it is fetched anew. */
export function useLoaded<T>(fetch: () => Promise<T>, may: () => boolean = () => true): Loaded<T> {
  const value = shallowRef<T | null>(null);
  const failure = shallowRef<unknown>(null);
  let turn = 0;
  const load = async (): Promise<void> => {
    const mine = ++turn;
    try {
      const got = await fetch();
      if (mine === turn) { value.value = got; failure.value = null; }
    } catch (caught) { if (mine === turn) failure.value = caught; }
  };
  watch(may, (now) => { if (now) void load(); }, { immediate: true });
  return { value, failure, load };
}

export interface Acting { busy: Ref<boolean>; failure: ShallowRef<unknown>; run: (doIt: () => Promise<unknown>) => Promise<boolean> }

/** Runs an act through the shell (sign-in, proof, second factor) and keeps its refusal to be shown; says whether it was done. */
export function useAct(): Acting {
  const busy = ref(false);
  const failure = shallowRef<unknown>(null);
  const run = async (doIt: () => Promise<unknown>): Promise<boolean> => {
    busy.value = true;
    failure.value = null;
    try { await act(doIt); return true; } catch (caught) { failure.value = caught; return false; } finally { busy.value = false; }
  };
  return { busy, failure, run };
}
