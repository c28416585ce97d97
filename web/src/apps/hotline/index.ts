// SPDX-License-Identifier: Apache-2.0
// The hotline's face: its desks, each loaded when it is opened, for those who may use it.
import { atTheDesk, guarded } from "@/apps/hotline/guard";
import { hotSpots } from "@/apps/hotline/layer";
import { knows } from "@/i18n";
import { may } from "@/shell/access";
import type { CityApp, Panel } from "@/shell/app";

/** The words of an app come with it: without the hotline there is nothing to show. */
type Desk = Pick<Panel, "path" | "title" | "icon">;
const desk = (permission: string, panel: Desk, load: Parameters<typeof guarded>[1], isOpen = (): boolean => may(permission)): Panel =>
  ({ ...panel, kind: "desk", group: "work", component: guarded(permission, load, isOpen), shown: () => knows("permission.hotline.desk") && isOpen() });

export const app: CityApp = {
  name: "hotline",
  layers: [hotSpots],
  marks: [],
  panels: [
    desk("hotline.desk", { path: "/calls", title: "desk.calls", icon: "phone" }, () => import("@/apps/hotline/CallsDesk.vue"), atTheDesk),
    desk("hotline.figures", { path: "/supervision", title: "desk.supervision", icon: "board" }, () => import("@/apps/hotline/SupervisionDesk.vue")),
    desk("hotline.desk", { path: "/follow-ups", title: "desk.follow_ups", icon: "callback" }, () => import("@/apps/hotline/FollowUpsDesk.vue")),
    desk("hotline.desk", { path: "/knowledge", title: "desk.knowledge", icon: "book" }, () => import("@/apps/hotline/KnowledgeDesk.vue")),
    desk("hotline.edit", { path: "/routing", title: "desk.routing", icon: "routes" }, () => import("@/apps/hotline/RoutingDesk.vue")),
  ],
  inspectors: [],
  places: () => [],
};
