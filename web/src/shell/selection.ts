// SPDX-License-Identifier: Apache-2.0
// The one selection of the screen, what the map shall show, and who is asked to sign in.
import { reactive, ref } from "vue";
import type { View } from "@/map/engine";

export const selected = ref<string | null>(null);
export const view = ref<View | null>(null);
export const hiddenLayers = reactive(new Set<string>());

/** Bumped to move the map to a selection; clicks on the map itself do not move it. */
export const goToSelection = ref(0);

const EVENT = "event:";
export const eventSelection = (id: string): string => EVENT + id;
export const eventIdOf = (selection: string): string | null => (selection.startsWith(EVENT) ? selection.slice(EVENT.length) : null);

export function select(selection: string | null): void {
  selected.value = selection;
}

export function selectAndShow(selection: string): void {
  selected.value = selection;
  goToSelection.value += 1;
}

/** The dialog that lies over the screen, if any. */
export const overlay = ref<null | "palette" | "keys" | "sign_in">(null);
/** Why we ask who somebody is: nobody is signed in, the session is over (here or in another window), a proof or a second factor is wanted, or a provider sent them back. */
export type Why = "needed" | "expired" | "elsewhere" | "proof" | "enrol" | "refused";
/** What we ask, what goes on afterwards, and with which code a provider's sign-in was refused. */
export const asking = reactive({ why: null as null | Why, then: null as null | (() => void), code: "" });
