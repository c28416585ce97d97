// SPDX-License-Identifier: Apache-2.0
// The pool's face: its layer, desks and drawers as one value.
import DeviceDrawer from "@/apps/pool/DeviceDrawer.vue";
import DevicesPanel from "@/apps/pool/DevicesPanel.vue";
import EntityDrawer from "@/apps/pool/EntityDrawer.vue";
import { entities } from "@/apps/pool/layer";
import PoolPanel from "@/apps/pool/PoolPanel.vue";
import QualityDrawer from "@/apps/pool/QualityDrawer.vue";
import QualityPanel from "@/apps/pool/QualityPanel.vue";
import { modelOf, sourceOf, subscriptionOf } from "@/apps/pool/selections";
import { pointsOf } from "@/apps/pool/state";
import SubscriptionDrawer from "@/apps/pool/SubscriptionDrawer.vue";
import SubscriptionsPanel from "@/apps/pool/SubscriptionsPanel.vue";
import { knows } from "@/i18n";
import type { CityApp } from "@/shell/app";
import { eventIdOf } from "@/shell/selection";

export const app: CityApp = {
  name: "pool",
  layers: [entities],
  marks: [],
  panels: [
    { path: "/pool", group: "data", title: "desk.pool", icon: "pool", component: PoolPanel },
    { path: "/subscriptions", group: "data", title: "desk.subscriptions", icon: "bell", component: SubscriptionsPanel },
    { path: "/quality", group: "data", title: "desk.quality", icon: "quality", component: QualityPanel },
    // The words of a door come with it: without the MQTT door there is nothing to show.
    { path: "/devices", group: "data", title: "desk.devices", icon: "device", component: DevicesPanel, shown: () => knows("permission.mqtt.view") },
  ],
  inspectors: [
    { of: (selection) => subscriptionOf(selection) !== null, component: SubscriptionDrawer },
    { of: (selection) => modelOf(selection) !== null, component: QualityDrawer },
    { of: (selection) => sourceOf(selection) !== null, component: DeviceDrawer },
    { of: (selection) => eventIdOf(selection) === null, component: EntityDrawer, last: true },
  ],
  places: () => [],
  pointsOf,
};
