// SPDX-License-Identifier: Apache-2.0
// What a page for everybody is: apps give them in `public.ts`, the frame shows them.
import type { Component } from "vue";
import type { PublicKey } from "@/citizen/words";
import type { IconName } from "@/kit/icons";

/** A page for everybody, under `/citizen/`. One with `home` stands on the first page of the citizens' door. */
export interface PublicPage {
  path: string;
  title: PublicKey;
  component: () => Promise<{ default: Component }>;
  home?: { words: PublicKey; icon: IconName; first?: true };
}
