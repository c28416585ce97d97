// SPDX-License-Identifier: Apache-2.0
// The desks of playbooks and of means.
import type { Panel } from "@/shell/app";
import { may } from "@/shell/access";

export const panels: Panel[] = [
  { path: "/playbooks", kind: "desk", group: "manage", title: "desk.playbooks", icon: "routes", component: () => import("@/apps/operations/playbooks/PlaybookDesk.vue"), shown: () => may("operations.view") },
  { path: "/means", kind: "desk", group: "manage", title: "desk.means", icon: "blocks", component: () => import("@/apps/operations/playbooks/MeansDesk.vue"), shown: () => may("operations.view") },
];
