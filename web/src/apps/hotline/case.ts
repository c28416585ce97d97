// SPDX-License-Identifier: Apache-2.0
// What the hotline adds to cases of its type.
import TicketFace from "@/apps/hotline/TicketFace.vue";
import type { CaseFace } from "@/work/faces";

export const face: CaseFace = { type: "hotline_ticket", component: TicketFace };
