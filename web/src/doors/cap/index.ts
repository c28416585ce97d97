// SPDX-License-Identifier: Apache-2.0
// The face of the CAP door: warnings as a desk, and where they are in force on the map.
import { areas, isWarning } from "@/doors/cap/layer";
import { corners } from "@/doors/cap/rules";
import { DECIDES, hasDoor, READS, waiting, watchWaiting } from "@/doors/cap/state";
import { may } from "@/shell/access";
import type { CityApp } from "@/shell/app";
import { eventIdOf } from "@/shell/selection";
import { seen } from "@/time/seen";

if (typeof window !== "undefined") watchWaiting();

export const app: CityApp = {
  name: "warnings",
  layers: [areas],
  marks: [],
  panels: [{ path: "/warnings", kind: "desk", group: "city", title: "desk.warnings", icon: "megaphone", component: () => import("@/doors/cap/WarningsDesk.vue"), shown: () => hasDoor() && (may(READS) || may(DECIDES)), badge: () => waiting.value }],
  inspectors: [],
  places: () => [],
  pointsOf: (selection) => {
    const geometry = seen.value?.events.find((event) => event.id === eventIdOf(selection) && isWarning(event))?.geometry ?? null;
    return geometry === null ? undefined : corners(geometry) ?? undefined;
  },
};
