// SPDX-License-Identifier: Apache-2.0
// Steps back and forth through what was changed: whatever was taken away by mistake comes back.
import { computed, onBeforeUnmount, ref, shallowRef, watch } from "vue";
import type { Ref } from "vue";

const SETTLED_MS = 400;
const MOST = 200;
export interface Undo { canUndo: Readonly<Ref<boolean>>; canRedo: Readonly<Ref<boolean>>; undo: () => void; redo: () => void }

/** Remembers a value whenever it has settled for a moment; fast typing is one step. */
export function useUndo<T>(value: Ref<T>): Undo {
  const past = shallowRef<string[]>([JSON.stringify(value.value)]);
  const at = ref(0);
  let timer = 0;
  function remember(): void {
    window.clearTimeout(timer);
    const now = JSON.stringify(value.value);
    if (now === past.value[at.value]) return;
    past.value = [...past.value.slice(0, at.value + 1), now].slice(-MOST);
    at.value = past.value.length - 1;
  }
  const stop = watch(value, () => { window.clearTimeout(timer); timer = window.setTimeout(remember, SETTLED_MS); }, { deep: true });
  onBeforeUnmount(() => { stop(); window.clearTimeout(timer); });
  function go(by: number): void {
    remember();
    const kept = past.value[at.value + by];
    if (kept === undefined) return;
    at.value += by;
    value.value = JSON.parse(kept) as T;
  }
  return { canUndo: computed(() => at.value > 0), canRedo: computed(() => at.value < past.value.length - 1), undo: () => { go(-1); }, redo: () => { go(1); } };
}
