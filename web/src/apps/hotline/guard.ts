// SPDX-License-Identifier: Apache-2.0
// A desk opens for whoever may use it; everybody else is told what is missing, and who signs in goes on where they were.
import { defineAsyncComponent, defineComponent, h } from "vue";
import type { Component } from "vue";
import { DESK } from "@/apps/hotline/catalogue";
import Locked from "@/apps/hotline/Locked.vue";
import { may, me } from "@/shell/access";

/** Calls and suggestions tell of all departments, so they are for who works in the hotline's own, or above it. */
export function atTheDesk(): boolean {
  const { departments = [], roles = [] } = me.value;
  return may("hotline.desk") && (roles.length > 0 || departments.length === 0 || departments.some((one) => one.department === DESK || one.below));
}

type Load = () => Promise<{ default: Component }>;

export function guarded(permission: string, load: Load, isOpen = (): boolean => may(permission)): Load {
  const desk = defineAsyncComponent(load);
  const guard = defineComponent({ name: "GuardedDesk", setup: () => () => (isOpen() ? h(desk) : h(Locked, { permission })) });
  return () => Promise.resolve({ default: guard });
}
