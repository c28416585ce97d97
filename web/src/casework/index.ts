// SPDX-License-Identifier: Apache-2.0
// Casework's face: the desks that every app with cases uses.
import { may, signedIn } from "@/shell/access";
import type { CityApp } from "@/shell/app";
import { unread, watchUnread } from "@/casework/unread";

if (typeof window !== "undefined") watchUnread();

export const app: CityApp = {
  name: "work",
  layers: [],
  marks: [],
  panels: [
    { path: "/work", group: "work", kind: "desk", title: "desk.work", icon: "inbox", component: () => import("@/casework/WorkDesk.vue"), shown: () => may("case.view") },
    { path: "/reviews", group: "work", kind: "desk", title: "desk.reviews", icon: "review", component: () => import("@/casework/ReviewsDesk.vue"), shown: () => may("case.view") },
    { path: "/templates", group: "work", kind: "desk", title: "desk.templates", icon: "pencil", component: () => import("@/casework/TemplatesDesk.vue"), shown: () => may("case.assign") },
    { path: "/types", group: "manage", kind: "desk", title: "desk.types", icon: "blocks", component: () => import("@/casework/types/TypesDesk.vue"), shown: () => may("case.types") },
    { path: "/notices", group: "work", kind: "desk", title: "desk.notices", icon: "bell", component: () => import("@/casework/NoticesDesk.vue"), shown: () => signedIn.value, badge: () => unread.value },
  ],
  inspectors: [],
  places: () => [],
};
