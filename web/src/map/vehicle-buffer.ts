// SPDX-License-Identifier: Apache-2.0
// Joins two vehicle frames by id into one buffer for the graphics card. Plain arrays, no garbage per vehicle.
import { HEADER_BYTES, VEHICLE_BYTES } from "@/api/vehicles";
import type { VehicleFrame } from "@/api/vehicles";

/** Per vehicle: from lon, from lat, from heading, to lon, to lat, to heading, speed; degrees and km/h, relative to the origin. */
export const FLOATS = 7;
/** Farther than this between two frames is a new trip under an old id, not a move (degrees, about 500 m). */
const JUMP_DEG = 0.0045;

const EMPTY = 0xffffffff;

/** An open-addressing table id → place; refilled for each frame. */
class Places {
  private keys = new Uint32Array(0);
  private places = new Uint32Array(0);
  private mask = 0;

  clear(count: number): void {
    let size = 1024;
    while (size < count * 2) size *= 2;
    if (this.keys.length !== size) {
      this.keys = new Uint32Array(size);
      this.places = new Uint32Array(size);
      this.mask = size - 1;
    }
    this.keys.fill(EMPTY);
  }

  private slot(id: number): number {
    let slot = (Math.imul(id, 0x9e3779b1) >>> 0) & this.mask;
    while (this.keys[slot] !== EMPTY && this.keys[slot] !== id) slot = (slot + 1) & this.mask;
    return slot;
  }

  put(id: number, place: number): void {
    const slot = this.slot(id);
    this.keys[slot] = id;
    this.places[slot] = place;
  }

  get(id: number): number {
    if (this.mask === 0) return -1;
    const slot = this.slot(id);
    return this.keys[slot] === id ? (this.places[slot] ?? -1) : -1;
  }
}

export interface VehicleBuffer { floats: Float32Array; count: number; originLon: number; originLat: number; atMs: number }

/** Remembers the last frame; `join` gives the buffer in which each vehicle moves from where it was to where it is. */
export function vehicleJoin(): { join: (frame: VehicleFrame) => VehicleBuffer } {
  const places = new Places();
  let spare = new Float32Array(0);
  let shown = new Float32Array(0);
  const last = { count: 0, originLon: 0, originLat: 0 };

  function row(frame: VehicleFrame, at: number, to: number, from: number, into: Float32Array): void {
    const lon = frame.bytes.getFloat32(at + 4, true);
    const lat = frame.bytes.getFloat32(at + 8, true);
    const heading = frame.bytes.getUint16(at + 12, true) / 100;
    const near = from >= 0 && Math.abs((shown[from + 3] as number) - lon) < JUMP_DEG && Math.abs((shown[from + 4] as number) - lat) < JUMP_DEG;
    into[to] = near ? (shown[from + 3] as number) : lon;
    into[to + 1] = near ? (shown[from + 4] as number) : lat;
    into[to + 2] = near ? (shown[from + 5] as number) : heading;
    into[to + 3] = lon;
    into[to + 4] = lat;
    into[to + 5] = heading;
    into[to + 6] = frame.bytes.getUint16(at + 14, true) / 100;
  }

  function join(frame: VehicleFrame): VehicleBuffer {
    const { count, originLon, originLat } = frame;
    const into = spare.length >= count * FLOATS ? spare : new Float32Array(Math.ceil(count * 1.25) * FLOATS);
    const known = last.originLon === originLon && last.originLat === originLat;
    for (let i = 0; i < count; i += 1) {
      const at = HEADER_BYTES + i * VEHICLE_BYTES;
      const place = known ? places.get(frame.bytes.getUint32(at, true)) : -1;
      row(frame, at, i * FLOATS, place < 0 ? -1 : place * FLOATS, into);
    }
    places.clear(count);
    for (let i = 0; i < count; i += 1) places.put(frame.bytes.getUint32(HEADER_BYTES + i * VEHICLE_BYTES, true), i);
    spare = shown;
    shown = into;
    Object.assign(last, { count, originLon, originLat });
    return { floats: into, count, originLon, originLat, atMs: frame.atMs };
  }

  return { join };
}
