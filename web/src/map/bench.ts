// SPDX-License-Identifier: Apache-2.0
// Behind ?bench: how long one update of many vehicles keeps the main thread.
import { HEADER_BYTES, readFrame, VEHICLE_BYTES } from "@/api/vehicles";
import type { VehicleLayer } from "@/map/vehicle-layer";

export interface BenchResult { count: number; rounds: number; medianMs: number; p95Ms: number; worstMs: number }

type Bounds = [number, number, number, number];

export function madeFrame(count: number, round: number, [west, south, east, north]: Bounds): ArrayBuffer {
  const buffer = new ArrayBuffer(HEADER_BYTES + count * VEHICLE_BYTES);
  const bytes = new DataView(buffer);
  bytes.setFloat64(8, (west + east) / 2, true);
  bytes.setFloat64(16, (south + north) / 2, true);
  for (let i = 0; i < count; i += 1) {
    const at = HEADER_BYTES + i * VEHICLE_BYTES;
    bytes.setUint32(at, i * 13 + 5, true);
    bytes.setFloat32(at + 4, (((i * 7919) % 1000) / 1000 - 0.5) * (east - west) + round * 1e-5, true);
    bytes.setFloat32(at + 8, (((i * 104729) % 1000) / 1000 - 0.5) * (north - south), true);
    bytes.setUint16(at + 12, (i * 37 + round * 100) % 36000, true);
    bytes.setUint16(at + 14, (i * 11) % 6000, true);
  }
  return buffer;
}

async function bench(layer: VehicleLayer, bounds: Bounds, count: number, rounds: number): Promise<BenchResult> {
  const took: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const frame = readFrame(madeFrame(count, round, bounds));
    if (frame !== null) took.push(layer.take(frame));
    await new Promise((resolve) => { window.setTimeout(resolve, 50); });
  }
  const sorted = took.sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { count, rounds, medianMs: at(0.5), p95Ms: at(0.95), worstMs: at(1) };
}

export function offerBench(layer: VehicleLayer, bounds: Bounds): void {
  if (!new URLSearchParams(location.search).has("bench")) return;
  Object.assign(window, { __citybrain: { benchVehicles: (count = 5000, rounds = 60) => bench(layer, bounds, count, rounds) } });
}
