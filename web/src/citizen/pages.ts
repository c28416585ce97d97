// SPDX-License-Identifier: Apache-2.0
// Which pages there are: those of the apps, then the door's own.
import type { InjectionKey } from "vue";
import type { PublicPage } from "@/citizen/page";

export const PAGES: InjectionKey<readonly PublicPage[]> = Symbol("pages");

export const OWN: PublicPage[] = [
  { path: "/citizen/me", title: "me.title", component: () => import("@/citizen/Me.vue"), home: { words: "me.words", icon: "person" } },
];
