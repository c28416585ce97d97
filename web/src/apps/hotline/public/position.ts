// SPDX-License-Identifier: Apache-2.0
// Where the phone is: asked for only when somebody presses the button.
import { ref } from "vue";
import type { Ref } from "vue";
import type { Place } from "@/apps/hotline/public/types";

export interface Position { place: Place; accuracy_m: number }
export type NoPosition = "denied" | "failed";
const WITHIN_MS = 15_000;
// Six digits are a tenth of a metre.
const exact = (degrees: number): number => Math.round(degrees * 1e6) / 1e6;

export function myPosition(): Promise<Position | NoPosition> {
  return new Promise((resolve) => {
    if (!("geolocation" in navigator)) { resolve("failed"); return; }
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => { resolve({ place: [exact(coords.longitude), exact(coords.latitude)], accuracy_m: coords.accuracy }); },
      (error) => { resolve(error.code === error.PERMISSION_DENIED ? "denied" : "failed"); },
      { enableHighAccuracy: true, timeout: WITHIN_MS, maximumAge: 60_000 },
    );
  });
}

export function usePosition(): { asking: Ref<boolean>; refused: Ref<NoPosition | null>; ask: (how: typeof myPosition) => Promise<Position | null> } {
  const asking = ref(false);
  const refused = ref<NoPosition | null>(null);
  const ask = async (how: typeof myPosition): Promise<Position | null> => {
    asking.value = true;
    const found = await how();
    asking.value = false;
    refused.value = typeof found === "string" ? found : null;
    return typeof found === "string" ? null : found;
  };
  return { asking, refused, ask };
}
