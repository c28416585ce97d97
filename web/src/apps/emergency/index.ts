// SPDX-License-Identifier: Apache-2.0
// The face of the emergency desk: incidents under command, resources and shelters on the map and as a list.
import { active, LAYERS, pressing, shownResources, watchEmergencies } from "@/apps/emergency/state";
import { pointOf } from "@/apps/emergency/rules";
import ResourcesPanel from "@/apps/emergency/ResourcesPanel.vue";
import { may } from "@/shell/access";
import type { CityApp } from "@/shell/app";

if (typeof window !== "undefined") watchEmergencies();
const shown = (): boolean => may("emergency.view");

export const app: CityApp = {
  name: "emergency",
  layers: LAYERS,
  marks: [],
  panels: [
    { path: "/incidents", kind: "desk", group: "city", title: "desk.incidents", icon: "siren", component: () => import("@/apps/emergency/IncidentsDesk.vue"), shown, badge: () => (active.value.length === 0 ? 0 : pressing.value) },
    { path: "/response-plans", kind: "desk", group: "manage", title: "desk.response_plans", icon: "book", component: () => import("@/apps/emergency/plans/PlanDesk.vue"), shown },
    { path: "/shelters", group: "city", title: "desk.shelters", icon: "role", component: ResourcesPanel, shown },
  ],
  inspectors: [],
  places: () => [],
  pointsOf: (selection) => {
    const point = pointOf(shownResources.value.find((one) => one.id === selection)?.geometry ?? null);
    return point === null ? undefined : [point];
  },
};
