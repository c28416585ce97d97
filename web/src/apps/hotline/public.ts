// SPDX-License-Identifier: Apache-2.0
// The hotline's pages for everybody: report, follow, what others reported, areas, answers.
import type { PublicPage } from "@/citizen/page";

export const pages: PublicPage[] = [
  { path: "/citizen/report", title: "report.title", component: () => import("@/apps/hotline/public/Report.vue"), home: { words: "report.words", icon: "pencil", first: true } },
  { path: "/citizen/receipt", title: "receipt.title", component: () => import("@/apps/hotline/public/Receipt.vue") },
  { path: "/citizen/follow", title: "follow.title", component: () => import("@/apps/hotline/public/FollowBox.vue"), home: { words: "follow.words", icon: "receipt" } },
  { path: "/citizen/follow/:secret", title: "follow.title", component: () => import("@/apps/hotline/public/Follow.vue") },
  { path: "/citizen/answers", title: "answers.title", component: () => import("@/apps/hotline/public/Answers.vue"), home: { words: "answers.words", icon: "book" } },
  { path: "/citizen/reports", title: "reports.title", component: () => import("@/apps/hotline/public/Reports.vue"), home: { words: "reports.words", icon: "pin" } },
  { path: "/citizen/areas", title: "areas.title", component: () => import("@/apps/hotline/public/Areas.vue"), home: { words: "areas.words", icon: "bell" } },
  { path: "/citizen/area/:secret", title: "area.title", component: () => import("@/apps/hotline/public/Area.vue") },
];
