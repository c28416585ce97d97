// SPDX-License-Identifier: Apache-2.0
// The playbook that is open: what is kept of it in this browser until it is saved.
import { computed, ref, shallowRef } from "vue";
import { blank, check, isChanged, settled, whole } from "@/apps/operations/playbooks/editing";
import { playbooks } from "@/apps/operations/playbooks/ask";
import type { Playbook, PlaybookView, Trial } from "@/apps/operations/playbooks/types";
import { copied } from "@/kit/lists";
import { forgetTyped, keepTyped, typedAt } from "@/kit/typed";
import { meansOf } from "@/orders/means";
import { act } from "@/shell/access";

const KEPT = "citybrain.playbook.";

/** What is in the form, what the server has (null for a new one), and the version it was made from. */
export const book = ref<Playbook>(blank());
export const view = shallowRef<PlaybookView | null>(null);
export const isOpen = ref(false);
export const isTried = ref(false);
export const trial = shallowRef<Trial | null>(null);
const startedFrom = shallowRef<Playbook>(blank());
const keyOf = (): string => KEPT + (view.value?.id ?? "");

export const changed = computed(() => isOpen.value && isChanged(book.value, startedFrom.value));
export const wrong = computed(() => check(book.value, meansOf));

keepTyped(book, keyOf, isOpen, changed);

function begin(from: Playbook, of: PlaybookView | null): void {
  isOpen.value = false;
  view.value = of;
  startedFrom.value = whole(copied(from));
  book.value = typedAt(keyOf(), whole) ?? whole(copied(from));
  isOpen.value = true;
  isTried.value = false;
  trial.value = null;
}
export const startNew = (): void => { begin(blank(), null); };
export const open = (of: PlaybookView): void => { begin(of.body, of); };
export function close(): void { isOpen.value = false; view.value = null; trial.value = null; }
/** What was typed is forgotten. */
export function drop(): void {
  forgetTyped(keyOf());
  begin(startedFrom.value, view.value);
}
/** A new one that begins as another is. */
export function copyOf(of: PlaybookView): void {
  const name = copied(of.body.name);
  startNew();
  book.value = { ...whole(copied(of.body)), id: "", name };
}

export async function save(): Promise<void> {
  isTried.value = true;
  await act(async () => {
    const key = keyOf();
    const saved = await playbooks.put(settled(book.value));
    forgetTyped(key);
    begin(saved.body, saved);
  });
}
export async function activate(): Promise<void> { await change((one) => playbooks.activate(one.id, one.version)); }
export async function retire(): Promise<void> { await change((one) => playbooks.retire(one.id)); }
async function change(how: (one: PlaybookView) => Promise<PlaybookView>): Promise<void> {
  await act(async () => { if (view.value !== null) open(await how(view.value)); });
}
export async function tryOut(): Promise<void> {
  isTried.value = true;
  const now = settled(book.value);
  await act(async () => { trial.value = await playbooks.dryRun(now); });
}
