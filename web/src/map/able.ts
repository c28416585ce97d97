// SPDX-License-Identifier: Apache-2.0
// Whether this browser can draw a map at all: what cannot be drawn is said, not left empty.
import { Refusal } from "@/api/client";

let able: boolean | null = null;

/** Refuses where there is no WebGL 2: an old browser, or one in which it is switched off. */
export function needsDrawing(): void {
  // Tried once: a browser gives only so many contexts, and takes the oldest one, the map's, when there are too many.
  able ??= document.createElement("canvas").getContext("webgl2") !== null;
  if (!able) throw new Refusal(0, "web.no_map", {}, "WebGL 2");
}
