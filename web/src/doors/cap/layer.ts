// SPDX-License-Identifier: Apache-2.0
// Where warnings are in force, on the map of the centre: as their events say it, so also in the past; and one that was pointed at.
import type { Feature, Geometry } from "geojson";
import { shallowRef } from "vue";
import type { CityState, EventView, Severity, Text } from "@/api/types";
import { COLOUR_OF, SEVERITIES, SHAPE_OF } from "@/kit/severity";
import { FONT, nameIn } from "@/map/layer";
import type { ExpressionSpecification, MapLayer } from "@/map/layer";
import { isLive } from "@/time/clock";

const KIND = "cap.alert";
const COLOUR: ExpressionSpecification = ["match", ["get", "level"], "I", COLOUR_OF.I, "II", COLOUR_OF.II, "III", COLOUR_OF.III, COLOUR_OF.IV];

export interface Pointed { key: string; geometry: Geometry; level: Severity; event: Text }
/** A warning that an officer wanted to see on the map though it is over, waits aside or raised no event. */
export const pointed = shallowRef<Pointed | null>(null);

export const isWarning = (event: EventView): boolean => event.kind === KIND && event.geometry !== null;
const rank = (level: Severity): number => SEVERITIES.indexOf(level);
/** The worst last: it is drawn over the others. */
const inForce = (state: CityState): EventView[] => state.events.filter((event) => isWarning(event) && event.ended_at === null).sort((a, b) => rank(b.severity) - rank(a.severity));
const feature = (at: number, geometry: Geometry | null, level: Severity, name: string, isPointed: boolean): Feature =>
  ({ type: "Feature", id: at, geometry: geometry ?? { type: "GeometryCollection", geometries: [] }, properties: { level, rank: isPointed ? -1 : rank(level), pointed: isPointed, name: `${SHAPE_OF[level]} ${name}` } });

export const areas: MapLayer = {
  id: "warnings",
  label: "layer.warnings",
  features: () => [],
  comes: (state, lang) => {
    const events = inForce(state);
    const one = isLive.value ? pointed.value : null;
    return {
      key: [...events.map((event) => `${event.id} ${event.severity}`), one?.key ?? ""].join(),
      features: [
        ...events.map((event, at) => feature(at, event.geometry, event.severity, nameIn(event.because.facts["event"] as Text | undefined, lang), false)),
        ...(one === null ? [] : [feature(events.length, one.geometry, one.level, nameIn(one.event, lang), true)]),
      ],
    };
  },
  legend: [{ label: "layer.warnings", colour: COLOUR_OF.II, shape: "line" }],
  paints: [
    { id: "warnings", type: "fill", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": COLOUR, "fill-opacity": ["case", ["get", "pointed"], 0.04, 0.12] } },
    { id: "warnings-edge", type: "line", layout: { "line-join": "round" }, paint: { "line-color": COLOUR, "line-width": ["case", ["get", "pointed"], 4, 2.5] } },
    { id: "warnings-label", type: "symbol", layout: { "text-field": ["get", "name"], "text-font": FONT, "text-size": 13, "text-max-width": 14, "symbol-sort-key": ["get", "rank"] }, paint: { "text-color": "#e8eef3", "text-halo-color": "#0b1620", "text-halo-width": 1.5 } },
  ],
};
