// SPDX-License-Identifier: Apache-2.0
// People, their rights and the audit as desks of the rail.
import { may, signedIn } from "@/shell/access";
import type { CityApp, Panel } from "@/shell/app";

const desk = (panel: Omit<Panel, "kind" | "group">): Panel => ({ ...panel, kind: "desk", group: "manage" });

export const app: CityApp = {
  name: "people",
  layers: [],
  marks: [],
  panels: [
    desk({ path: "/people", title: "desk.people", icon: "people", component: () => import("@/people/People.vue"), shown: () => may("people.view") }),
    desk({ path: "/departments", title: "desk.departments", icon: "tree", component: () => import("@/people/Departments.vue"), shown: () => may("people.view") }),
    desk({ path: "/roles", title: "desk.roles", icon: "role", component: () => import("@/people/Roles.vue"), shown: () => may("people.view") }),
    desk({ path: "/services", title: "desk.services", icon: "token", component: () => import("@/people/Services.vue"), shown: () => may("city.services") }),
    desk({ path: "/audit", title: "desk.audit", icon: "audit", component: () => import("@/people/Audit.vue"), shown: () => may("audit.view") }),
    desk({ path: "/me", title: "desk.me", icon: "person", component: () => import("@/people/Me.vue"), shown: () => signedIn.value }),
  ],
  inspectors: [],
  places: () => [],
};
