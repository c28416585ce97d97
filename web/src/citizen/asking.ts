// SPDX-License-Identifier: Apache-2.0
// Small tools of citizens' pages: something that is loaded, something that is sent, words that outlive a closed page.
import { nextTick, ref, shallowRef, watch } from "vue";
import type { Ref, ShallowRef } from "vue";
import { remember, remembered } from "@/citizen/state";

export interface Loaded<T> { value: ShallowRef<T | null>; failure: ShallowRef<unknown>; busy: Ref<boolean>; at: Ref<number | null>; load: () => Promise<void> }

/** Something asked of the city: what came stays while it is asked again, and `at` says when it came. */
export function useLoaded<T>(get: () => Promise<T>): Loaded<T> {
  const value = shallowRef<T | null>(null);
  const failure = shallowRef<unknown>(null);
  const busy = ref(false);
  const at = ref<number | null>(null);
  const load = async (): Promise<void> => {
    busy.value = true;
    try { value.value = await get(); failure.value = null; at.value = Date.now(); } catch (caught) { failure.value = caught; }
    busy.value = false;
  };
  return { value, failure, busy, at, load };
}

export interface Sending { busy: Ref<boolean>; failure: ShallowRef<unknown>; send: (doIt: () => Promise<unknown>) => Promise<boolean> }

/** An act: answers whether it went well; what was refused stays to be shown. */
export function useSending(): Sending {
  const busy = ref(false);
  const failure = shallowRef<unknown>(null);
  const send = async (doIt: () => Promise<unknown>): Promise<boolean> => {
    if (busy.value) return false;
    busy.value = true;
    failure.value = null;
    try { await doIt(); } catch (caught) { failure.value = caught; }
    busy.value = false;
    return failure.value === null;
  };
  return { busy, failure, send };
}

/** Words that are kept in this browser while they are typed, and forgotten when they were sent. */
export function useKept(name: () => string): Ref<string> {
  const place = (): string => `citybrain.citizen.words.${name()}`;
  const words = ref(remembered(place()) ?? "");
  watch(words, (now) => { remember(place(), now === "" ? null : now); });
  return words;
}

/** To the first field that is not right, so that a reader hears at once what is wrong. */
export async function focusFirst(within: HTMLElement | null): Promise<void> {
  await nextTick();
  within?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
}
