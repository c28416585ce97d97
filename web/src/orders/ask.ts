// SPDX-License-Identifier: Apache-2.0
// The requests about orders.
import { ask, part, query, write } from "@/api/client";
import type { Means, NewOrder, OrderStory, StandingOrder } from "@/orders/types";

const of = (id: string): string => `/api/orders/${part(id)}`;

export const orders = {
  means: () => ask<Means[]>("/api/means"),
  give: (order: NewOrder) => write<StandingOrder>("POST", "/api/orders", order),
  find: (asked: { entity_id?: string; means?: string; state?: string; limit?: string }) => ask<StandingOrder[]>(`/api/orders${query(asked)}`),
  story: (id: string) => ask<OrderStory>(of(id)),
  approve: (id: string) => write<StandingOrder>("POST", `${of(id)}/approve`),
  end: (id: string, reason: string) => write<StandingOrder>("POST", `${of(id)}/end`, { reason }),
};
