// SPDX-License-Identifier: Apache-2.0
// The map layer of missions: where each goes, where it is, and when it reaches the junctions ahead.
import { network } from "@/api/live";
import { missionFeatures, missionKey, missionsIn, signalPlaces } from "@/apps/traffic/missions";
import { FONT } from "@/map/layer";
import type { MapLayer } from "@/map/layer";

export const MISSION_COLOUR = "#ff7ad9";
const OPEN = "#3fbf6f";

export const missions: MapLayer = {
  id: "missions",
  label: "layer.missions",
  selectable: true,
  features: () => [],
  comes: (state) => ({ key: missionKey(state), features: network.value === null ? [] : missionFeatures(missionsIn(state), signalPlaces(network.value)) }),
  legend: [
    { label: "mission.route", colour: MISSION_COLOUR, shape: "line" },
    { label: "mission.vehicle", colour: MISSION_COLOUR, shape: "dot" },
    { label: "mission.opened", colour: OPEN, shape: "dot" },
  ],
  paints: [
    { id: "missions-route", type: "line", filter: ["==", ["get", "what"], "route"], layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": MISSION_COLOUR, "line-width": ["interpolate", ["linear"], ["zoom"], 11, 3, 16, 6], "line-opacity": 0.75 } },
    { id: "missions-ahead", type: "circle", filter: ["all", ["==", ["geometry-type"], "Point"], ["!=", ["get", "what"], "vehicle"]], paint: { "circle-radius": 9, "circle-color": ["match", ["get", "what"], "open", OPEN, "#0b1620"], "circle-stroke-color": MISSION_COLOUR, "circle-stroke-width": 2 } },
    { id: "missions-vehicle", type: "circle", filter: ["==", ["get", "what"], "vehicle"], paint: { "circle-radius": 8, "circle-color": MISSION_COLOUR, "circle-stroke-color": "#0b1620", "circle-stroke-width": 2 } },
    { id: "missions-label", type: "symbol", filter: ["==", ["geometry-type"], "Point"], layout: { "text-field": ["get", "words"], "text-font": FONT, "text-size": 12, "text-offset": [0, -1.4], "text-allow-overlap": true }, paint: { "text-color": "#ffd6f2", "text-halo-color": "#0b1620", "text-halo-width": 1.5 } },
  ],
};
