// SPDX-License-Identifier: Apache-2.0
// The composition root of the citizens' pages.
import { createApp } from "vue";
import { createRouter, createWebHistory } from "vue-router";
import Frame from "@/citizen/Frame.vue";
import type { PublicPage } from "@/shell/app";

const found = import.meta.glob<{ pages: PublicPage[] }>("../apps/*/public.ts", { eager: true });
const pages = Object.values(found).flatMap((one) => one.pages);
const router = createRouter({ history: createWebHistory(), routes: pages.map(({ path, component }) => ({ path, component })) });

createApp(Frame).use(router).mount("#app");
