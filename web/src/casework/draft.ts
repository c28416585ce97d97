// SPDX-License-Identifier: Apache-2.0
// A form that is not sent yet: kept with every change, restored when it is opened again.
import { onBeforeUnmount, ref, shallowRef, watch } from "vue";
import type { Ref, ShallowRef } from "vue";
import type { Facts } from "@/api/types";
import { askToSignIn, sessionOver, wantedBy } from "@/shell/access";
import { drafts } from "@/casework/ask";

export type DraftState = "none" | "restored" | "saving" | "saved" | "signed_out" | "failed";
export interface Keeping { state: Ref<DraftState>; savedAt: ShallowRef<string | null>; drop: () => Promise<void>; again: () => void; ready: Ref<boolean> }

const WAIT_MS = 700;
const TRY_AGAIN_MS = 5_000;

/** Keeps what `values` say at a place; `restore` gets what was kept there before. */
export function useDraft(place: () => string, values: () => Facts, restore: (kept: Facts) => void): Keeping {
  const state = ref<DraftState>("none");
  const savedAt = shallowRef<string | null>(null);
  const ready = ref(false);
  let timer = 0;
  let known = JSON.stringify(values());
  let isOver = false;

  async function keep(): Promise<void> {
    const now = JSON.stringify(values());
    if (isOver || now === known) return;
    state.value = "saving";
    try {
      const head = await drafts.save(place(), values());
      known = now;
      savedAt.value = head.saved_at;
      state.value = "saved";
    } catch (failure) {
      state.value = wantedBy(failure) !== null ? "signed_out" : "failed";
      if (state.value === "failed") later(TRY_AGAIN_MS);
    }
  }
  function later(ms: number): void {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => { void keep(); }, ms);
  }
  async function load(): Promise<void> {
    const before = known;
    const kept = await drafts.get(place()).catch(() => null);
    if (kept !== null && JSON.stringify(values()) === before) {
      restore(kept.values);
      known = JSON.stringify(values());
      savedAt.value = kept.saved_at;
      state.value = "restored";
    }
    ready.value = true;
  }
  void load();
  const stops = [
    watch(() => JSON.stringify(values()), (now) => { if (now !== known) later(WAIT_MS); }),
    watch(sessionOver, (isOut) => { if (!isOut) later(0); }),
  ];
  onBeforeUnmount(() => { for (const stop of stops) stop(); window.clearTimeout(timer); void keep(); });

  return {
    state, savedAt, ready,
    drop: async () => { isOver = true; window.clearTimeout(timer); await drafts.drop(place()).catch(() => undefined); },
    again: () => { askToSignIn("expired", () => { void keep(); }); },
  };
}
