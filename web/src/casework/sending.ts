// SPDX-License-Identifier: Apache-2.0
// Sending something that may need a sign-in: what was typed stays, and after the sign-in it is sent.
import { ref, shallowRef } from "vue";
import type { Ref, ShallowRef } from "vue";
import { act } from "@/shell/access";

export interface Sending { busy: Ref<boolean>; refused: ShallowRef<unknown>; send: (doIt: () => Promise<void>, settle?: (failure: unknown) => boolean) => Promise<boolean> }

/** `settle` may deal with a refusal in its own way; then it answers true. Answers whether it was done. */
export function useSending(): Sending {
  const busy = ref(false);
  const refused = shallowRef<unknown>(null);
  async function send(doIt: () => Promise<void>, settle: (failure: unknown) => boolean = () => false): Promise<boolean> {
    busy.value = true;
    refused.value = null;
    try {
      await act(doIt);
      return true;
    } catch (failure) {
      if (!settle(failure)) refused.value = failure;
      return false;
    } finally { busy.value = false; }
  }
  return { busy, refused, send };
}
