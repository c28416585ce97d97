// SPDX-License-Identifier: Apache-2.0
// Whether this browser can draw a map at all: what cannot be drawn is said, not left empty.
import { Refusal } from "@/api/client";

/** Refuses where there is no WebGL 2: an old browser, or one in which it is switched off. */
export function needsDrawing(): void {
  if (document.createElement("canvas").getContext("webgl2") === null) throw new Refusal(0, "web.no_map", {}, "WebGL 2");
}
