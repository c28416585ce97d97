// SPDX-License-Identifier: Apache-2.0
// The operation centre's face: alarms beside the map and as a desk, and the drawer of one alarm.
import AlarmsPanel from "@/alarms/AlarmsPanel.vue";
import AlarmDrawer from "@/apps/operations/AlarmDrawer.vue";
import FiguresPanel from "@/apps/operations/FiguresPanel.vue";
import { may } from "@/shell/access";
import type { CityApp } from "@/shell/app";
import { eventIdOf } from "@/shell/selection";

export const app: CityApp = {
  name: "operations",
  streets: true,
  layers: [],
  marks: [],
  panels: [
    { path: "/alarms", title: "desk.alarms", icon: "alert", component: AlarmsPanel },
    { path: "/duty", kind: "desk", title: "desk.duty", icon: "board", component: () => import("@/alarms/DutyDesk.vue") },
    { path: "/handling", title: "desk.handling", icon: "gauge", component: FiguresPanel, shown: () => may("operations.view") },
    { path: "/shift", kind: "desk", title: "desk.shift", icon: "shift", component: () => import("@/apps/operations/ShiftDesk.vue"), shown: () => may("operations.view") },
    { path: "/wall", kind: "wall", title: "wall.title", icon: "board", component: () => import("@/apps/operations/Wall.vue"), shown: () => false },
    // The address this desk had before; colleagues may have sent it.
    { path: "/events", title: "desk.alarms", icon: "alert", component: AlarmsPanel, shown: () => false },
  ],
  inspectors: [{ of: (selection) => eventIdOf(selection) !== null, component: AlarmDrawer }],
  places: () => [],
};
