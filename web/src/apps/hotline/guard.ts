// SPDX-License-Identifier: Apache-2.0
// A desk opens for whoever may use it; everybody else is told what is missing, and who signs in goes on where they were.
import { defineAsyncComponent, defineComponent, h } from "vue";
import type { Component } from "vue";
import Locked from "@/apps/hotline/Locked.vue";
import { may } from "@/shell/access";

type Load = () => Promise<{ default: Component }>;

export function guarded(permission: string, load: Load): Load {
  const desk = defineAsyncComponent(load);
  const guard = defineComponent({ name: "GuardedDesk", setup: () => () => (may(permission) ? h(desk) : h(Locked, { permission })) });
  return () => Promise.resolve({ default: guard });
}
