// SPDX-License-Identifier: Apache-2.0
// The desk of orders: what waits for a second person, and what people have ordered.
import { hasStreets } from "@/api/live";
import { forMe, mayOrder, watchOrders } from "@/orders/means";
import OrdersPanel from "@/orders/OrdersPanel.vue";
import type { CityApp } from "@/shell/app";

if (typeof window !== "undefined") watchOrders();

export const app: CityApp = {
  name: "orders",
  streets: true,
  layers: [],
  marks: [],
  panels: [{ path: "/orders", group: "city", title: "desk.orders", icon: "order", component: OrdersPanel, shown: () => mayOrder() && hasStreets.value, badge: () => forMe.value }],
  inspectors: [],
  places: () => [],
};
