// SPDX-License-Identifier: Apache-2.0
// Casework's face: the desks that every app with cases uses.
import { may } from "@/shell/access";
import type { CityApp } from "@/shell/app";

export const app: CityApp = {
  name: "work",
  layers: [],
  marks: [],
  panels: [
    { path: "/work", group: "work", kind: "desk", title: "desk.work", icon: "inbox", component: () => import("@/work/WorkDesk.vue"), shown: () => may("case.view") },
  ],
  inspectors: [],
  places: () => [],
};
