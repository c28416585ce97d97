// SPDX-License-Identifier: Apache-2.0
// The operation centre's face: alarms beside the map and as a desk, and the drawer of one alarm.
import AlarmsPanel from "@/alarms/AlarmsPanel.vue";
import AlarmDrawer from "@/apps/operations/AlarmDrawer.vue";
import { resources, watchField } from "@/apps/operations/field";
import { FIELD_LAYERS } from "@/apps/operations/field-layers";
import FieldPanel from "@/apps/operations/FieldPanel.vue";
import FiguresPanel from "@/apps/operations/FiguresPanel.vue";
import { chosenVehicle, CHOSEN_LAYER } from "@/apps/operations/vehicles/state";
import VehicleDrawer from "@/apps/operations/vehicles/VehicleDrawer.vue";
import { isInside, vehicleIdOf } from "@/map/vehicle-rows";
import { viewBox } from "@/map/view-box";
import { may } from "@/shell/access";
import type { CityApp, Panel } from "@/shell/app";
import { eventIdOf } from "@/shell/selection";

/** Further desks of operations, one folder each: `panels` of its panels.ts stand after the shift's. */
const found: Record<string, { panels: Panel[] }> = import.meta.glob("./*/panels.ts", { eager: true });
const others = Object.values(found).flatMap((one) => one.panels);

if (typeof window !== "undefined") watchField();

export const app: CityApp = {
  name: "operations",
  streets: true,
  layers: [...FIELD_LAYERS, CHOSEN_LAYER],
  marks: [],
  panels: [
    { path: "/alarms", title: "desk.alarms", icon: "alert", component: AlarmsPanel },
    { path: "/duty", kind: "desk", title: "desk.duty", icon: "board", component: () => import("@/alarms/DutyDesk.vue") },
    { path: "/field", title: "desk.field", icon: "pin", component: FieldPanel, shown: () => may("operations.view") },
    { path: "/handling", title: "desk.handling", icon: "gauge", component: FiguresPanel, shown: () => may("operations.view") },
    { path: "/shift", kind: "desk", title: "desk.shift", icon: "shift", component: () => import("@/apps/operations/ShiftDesk.vue"), shown: () => may("operations.view") },
    ...others,
    { path: "/wall", kind: "wall", title: "wall.title", icon: "board", component: () => import("@/apps/operations/Wall.vue"), shown: () => false },
    // The address this desk had before; colleagues may have sent it.
    { path: "/events", title: "desk.alarms", icon: "alert", component: AlarmsPanel, shown: () => false },
  ],
  inspectors: [{ of: (selection) => eventIdOf(selection) !== null, component: AlarmDrawer }, { of: (selection) => vehicleIdOf(selection) !== null, component: VehicleDrawer }],
  places: () => [],
  pointsOf: (selection) => {
    const vehicle = chosenVehicle.value;
    // What is in sight already stays where it is: else the list of those in sight would shrink to one.
    if (vehicle !== null && vehicleIdOf(selection) === vehicle.id) return viewBox.value !== null && isInside(vehicle, viewBox.value) ? undefined : [[vehicle.lon, vehicle.lat]];
    const point = resources.value.find((one) => one.id === selection)?.point; return point == null ? undefined : [point];
  },
};
