// SPDX-License-Identifier: Apache-2.0
// The hotline's face: its desks, each loaded when it is opened, for those who may use it.
import { hotSpots } from "@/apps/hotline/layer";
import { knows } from "@/i18n";
import { may } from "@/shell/access";
import type { CityApp, Panel } from "@/shell/app";

/** The words of an app come with it: without the hotline there is nothing to show. */
const shown = (permission: string) => (): boolean => knows("permission.hotline.desk") && may(permission);
const desk = (panel: Omit<Panel, "kind" | "group">): Panel => ({ ...panel, kind: "desk", group: "work" });

export const app: CityApp = {
  name: "hotline",
  layers: [hotSpots],
  marks: [],
  panels: [
    desk({ path: "/calls", title: "desk.calls", icon: "phone", component: () => import("@/apps/hotline/CallsDesk.vue"), shown: shown("hotline.desk") }),
    desk({ path: "/supervision", title: "desk.supervision", icon: "board", component: () => import("@/apps/hotline/SupervisionDesk.vue"), shown: shown("hotline.figures") }),
    desk({ path: "/follow-ups", title: "desk.follow_ups", icon: "callback", component: () => import("@/apps/hotline/FollowUpsDesk.vue"), shown: shown("hotline.desk") }),
    desk({ path: "/knowledge", title: "desk.knowledge", icon: "book", component: () => import("@/apps/hotline/KnowledgeDesk.vue"), shown: shown("hotline.desk") }),
    desk({ path: "/routing", title: "desk.routing", icon: "routes", component: () => import("@/apps/hotline/RoutingDesk.vue"), shown: shown("hotline.edit") }),
  ],
  inspectors: [],
  places: () => [],
};
