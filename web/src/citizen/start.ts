// SPDX-License-Identifier: Apache-2.0
// The composition root of the citizens' pages.
import "@/kit/tokens.css";
import "@/citizen/citizen.css";
import { createApp, nextTick } from "vue";
import { createRouter, createWebHistory } from "vue-router";
import Frame from "@/citizen/Frame.vue";
import Home from "@/citizen/Home.vue";
import NotFound from "@/citizen/NotFound.vue";
import type { PublicPage } from "@/citizen/page";
import { OWN, PAGES } from "@/citizen/pages";
import { loadCity } from "@/citizen/state";

const found = import.meta.glob<{ pages: PublicPage[] }>("../apps/*/public.ts", { eager: true });
const pages = [...Object.values(found).flatMap((one) => one.pages), ...OWN];

const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: "/citizen", component: Home, meta: { title: "home.title" } },
    ...pages.map(({ path, component, title }) => ({ path, component, meta: { title } })),
    { path: "/:rest(.*)*", component: NotFound, meta: { title: "lost.title" } },
  ],
  scrollBehavior: (_to, _from, kept) => kept ?? { top: 0 },
});

// A page that came by a link begins at its heading, for readers too; the very first page begins at its own top.
router.afterEach((to, from) => {
  if (from.matched.length === 0 || to.path === from.path) return;
  void nextTick(() => { document.querySelector<HTMLElement>("main h1")?.focus(); });
});

document.documentElement.dataset["theme"] = "light";
document.documentElement.dataset["door"] = "citizen";
void loadCity();
const app = createApp(Frame);
app.provide(PAGES, pages);
app.use(router);
void router.isReady().catch(() => undefined).then(() => {
  app.mount("#app");
  document.documentElement.dataset["citizen"] = "ready";
});
