// SPDX-License-Identifier: Apache-2.0
// The traffic app's face: its layers, desks and drawers as one value.
import { hasStreets, localId } from "@/api/live";
import type { LonLat, Network } from "@/api/types";
import IndicatorsPanel from "@/apps/traffic/IndicatorsPanel.vue";
import { LAYERS, MARKS } from "@/apps/traffic/layers";
import MissionDrawer from "@/apps/traffic/MissionDrawer.vue";
import { isMission, missionsIn } from "@/apps/traffic/missions";
import MissionsPanel from "@/apps/traffic/MissionsPanel.vue";
import RoadDrawer from "@/apps/traffic/RoadDrawer.vue";
import RoadsPanel from "@/apps/traffic/RoadsPanel.vue";
import SignalDrawer from "@/apps/traffic/SignalDrawer.vue";
import SignalsPanel from "@/apps/traffic/SignalsPanel.vue";
import { whereStreetsAre } from "@/apps/traffic/streets";
import { t, text } from "@/i18n";
import type { CityApp, Place } from "@/shell/app";
import { seen } from "@/time/seen";

const signalsDesk = whereStreetsAre(SignalsPanel, "desk.signals");

function places(network: Network): Place[] {
  return [
    ...network.signals.map((signal) => ({ id: signal.id, label: text(signal.name) || localId(signal.id), hint: t("place.signal"), points: signal.heads.flatMap((head) => head.line).concat([signal.point]) })),
    ...network.roads.map((road) => ({ id: road.id, label: text(road.name) || localId(road.id), hint: t("place.road"), points: road.line })),
  ];
}

export const app: CityApp = {
  name: "traffic",
  streets: true,
  layers: LAYERS,
  marks: MARKS,
  panels: [
    { path: "/indicators", title: "desk.indicators", icon: "compare", component: whereStreetsAre(IndicatorsPanel, "desk.indicators") },
    { path: "/junctions", title: "desk.signals", icon: "signal", component: signalsDesk },
    // The address this desk had before; colleagues may have sent it.
    { path: "/signals", title: "desk.signals", icon: "signal", component: signalsDesk, shown: () => false },
    { path: "/roads", title: "desk.roads", icon: "road", component: whereStreetsAre(RoadsPanel, "desk.roads") },
    { path: "/missions", title: "desk.missions", icon: "siren", component: whereStreetsAre(MissionsPanel, "desk.missions"), badge: () => missionsIn(seen.value).length },
    { path: "/corridor", kind: "desk", title: "desk.corridor", icon: "corridor", component: () => import("@/apps/traffic/CorridorDesk.vue"), shown: () => hasStreets.value },
    { path: "/plans", kind: "desk", title: "desk.plans", icon: "board", component: () => import("@/apps/traffic/PlansDesk.vue"), shown: () => hasStreets.value },
    { path: "/compare", kind: "desk", title: "desk.compare", icon: "versus", component: () => import("@/apps/traffic/CompareDesk.vue"), shown: () => hasStreets.value },
  ],
  inspectors: [
    { of: (selection) => selection.includes(":TrafficSignalController:"), component: SignalDrawer },
    { of: (selection) => selection.includes(":RoadSegment:"), component: RoadDrawer },
    { of: isMission, component: MissionDrawer },
  ],
  places,
  pointsOf: (selection) => {
    const mission = missionsIn(seen.value).find((one) => one.id === selection);
    return mission?.geometry?.type === "LineString" ? (mission.geometry.coordinates as LonLat[]) : undefined;
  },
};
