// SPDX-License-Identifier: Apache-2.0
// What the controller thinks at one junction, looked at again and again while the screen is live.
import { traffic } from "@/apps/traffic/ask";
import type { JunctionView } from "@/apps/traffic/types";
import { useLoaded } from "@/kit/loading";
import type { Loaded } from "@/kit/loading";
import { isLive } from "@/time/clock";

const EVERY_MS = 2000;
/** The past of claims and of the other one's queues is not kept: in replay there is nothing to ask for. */
export const useJunction = (id: () => string): Loaded<JunctionView | null> => useLoaded(async () => (isLive.value ? traffic.junction(id()) : null), () => [id(), isLive.value], EVERY_MS);
