// SPDX-License-Identifier: Apache-2.0
// The list beside the layer of vehicles.
import { hasStreets } from "@/api/live";
import VehiclesPanel from "@/apps/operations/vehicles/VehiclesPanel.vue";
import type { Panel } from "@/shell/app";

export const panels: Panel[] = [{ path: "/vehicles", title: "desk.vehicles", icon: "routes", component: VehiclesPanel, shown: () => hasStreets.value }];
