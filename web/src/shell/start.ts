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
import { wearTheme } from "@/shell/theme";
import { startTime } from "@/time/seen";

type Found = Record<string, { app: CityApp }>;
// Casework before the apps that build on it, orders after those that give them, accounts last: the order of the rail.
const work: Found = import.meta.glob("../casework/index.ts", { eager: true });
const found: Found = import.meta.glob("../apps/*/index.ts", { eager: true });
// Doors with a desk of their own.
const doors: Found = import.meta.glob("../doors/*/index.ts", { eager: true });
const orders: Found = import.meta.glob("../orders/index.ts", { eager: true });
const people: Found = import.meta.glob("../people/index.ts", { eager: true });
const apps = [work, found, doors, orders, people].flatMap((each) => Object.values(each)).map((one) => one.app);

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
  wearTheme();
  startLive();
  startTime();
  root.mount("#app");
});
