// SPDX-License-Identifier: Apache-2.0
// What time it is by the server's clock: rights begin and end by it, not by this machine's.
import { serverAhead } from "@/api/live";

export const wallMs = (): number => (serverAhead.value === 0 ? Date.now() : performance.now() + serverAhead.value);
