// SPDX-License-Identifier: Apache-2.0
// The plan that is open: what is typed is kept in this browser until it is a version.
import { computed, ref, shallowRef } from "vue";
import { Refusal } from "@/api/client";
import { emergency } from "@/apps/emergency/ask";
import { blank, check, isSame, settled, whole } from "@/apps/emergency/plans/editing";
import type { Plan } from "@/apps/emergency/types";
import { forgetTyped, keepTyped, typedAt } from "@/kit/typed";
import { act } from "@/shell/access";

const KEPT = "citybrain.response_plan.";
export const plan = ref<Plan>(blank());
/** The version that the form began with; null for a new plan. */
export const began = shallowRef<Plan | null>(null);
/** What somebody else made of it meanwhile. */
export const newer = shallowRef<Plan | null>(null);
export const isOpen = ref(false);
export const isTried = ref(false);
export const wrong = computed(() => check(plan.value));
export const changed = computed(() => isOpen.value && !isSame(plan.value, began.value ?? blank()));
const keyOf = (): string => KEPT + (began.value?.id ?? "");

keepTyped(plan, keyOf, isOpen, changed);

export function open(of: Plan | null): void {
  isOpen.value = false;
  [began.value, newer.value, isTried.value] = [of, null, false];
  plan.value = typedAt(keyOf(), whole) ?? whole(of ?? blank());
  isOpen.value = true;
}
export function close(): void { isOpen.value = false; began.value = newer.value = null; }
/** What was typed is forgotten. */
export function drop(): void {
  forgetTyped(keyOf());
  open(began.value);
}
/** An older version is what the next one begins with. */
export function beginWith(older: Plan): void { plan.value = { ...whole(older), version: plan.value.version }; }

/** Sends it as the next version; whoever was faster is told of, and what was typed stays. */
export async function save(): Promise<void> {
  await act(async () => {
    try {
      const key = keyOf();
      const saved = await emergency.putPlan(settled(plan.value));
      forgetTyped(key);
      open(saved);
    } catch (refusal) {
      if (refusal instanceof Refusal && refusal.code === "emergency.plan_changed") newer.value = (await emergency.newestPlans()).find((one) => one.id === plan.value.id) ?? null;
      throw refusal;
    }
  });
}
/** Having seen what is newer, one's own follows it. */
export function follow(): void {
  if (newer.value === null) return;
  plan.value = { ...plan.value, version: newer.value.version };
  newer.value = null;
}
export function takeNewer(): void {
  const found = newer.value;
  if (found === null) return;
  forgetTyped(keyOf());
  open(found);
}
