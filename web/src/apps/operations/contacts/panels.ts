// SPDX-License-Identifier: Apache-2.0
// The desk of contacts: who does the work and who is told.
import { may } from "@/shell/access";
import type { Panel } from "@/shell/app";

export const panels: Panel[] = [
  { path: "/contacts", kind: "desk", group: "manage", title: "desk.contacts", icon: "phone", component: () => import("@/apps/operations/contacts/ContactsDesk.vue"), shown: () => may("operations.contacts") },
];
