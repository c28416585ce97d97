// SPDX-License-Identifier: Apache-2.0
// The traffic desks, or word that there are no streets.
import { defineComponent, h } from "vue";
import type { Component } from "vue";
import { hasStreets } from "@/api/live";
import NoStreets from "@/apps/traffic/NoStreets.vue";
import type { Key } from "@/i18n";

export const whereStreetsAre = (panel: Component, title: Key): Component => defineComponent(() => () => (hasStreets.value ? h(panel) : h(NoStreets, { title })));
