// SPDX-License-Identifier: Apache-2.0
// The composition root of centre and desks: finds the apps, builds the routes, starts stream and clock.
import { createApp } from "vue";
import { createRouter, createWebHistory } from "vue-router";
import { startLive } from "@/api/live";
import { watchSession } from "@/shell/access";
import { keepAddress } from "@/shell/address";
import { APPS } from "@/shell/app";
import type { CityApp } from "@/shell/app";
import Root from "@/shell/Root.vue";
import Start from "@/shell/Start.vue";
import { startTime } from "@/time/seen";

const found = import.meta.glob<{ app: CityApp }>(["../apps/*/index.ts", "../work/index.ts", "../people/index.ts"], { eager: true });
const apps = Object.values(found).map((one) => one.app);

const router = createRouter({
  history: createWebHistory(),
  routes: [
    ...apps.flatMap((app) => app.panels).map((panel) => ({ path: panel.path, component: panel.component, meta: { kind: panel.kind ?? "centre" } })),
    { path: "/:rest(.*)*", component: Start },
  ],
});

const root = createApp(Root);
root.provide(APPS, apps);
root.use(router);
void keepAddress(router).then(() => {
  watchSession();
  startLive();
  startTime();
  root.mount("#app");
});
