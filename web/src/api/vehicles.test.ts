// SPDX-License-Identifier: Apache-2.0
// Vehicle frames: what is no frame is refused, and vehicles keep their place by id from frame to frame.
import { describe, expect, it } from "vitest";
import { HEADER_BYTES, readFrame, VEHICLE_BYTES } from "@/api/vehicles";
import type { VehicleFrame } from "@/api/vehicles";
import { FLOATS, vehicleJoin } from "@/map/vehicle-buffer";
import { along, inBox, metresTo, nearestVehicle, roadUnder, selectionOfVehicle, vehicleIdOf, withId } from "@/map/vehicle-rows";

type Row = [id: number, lon: number, lat: number, heading: number, speed: number];

function written(rows: Row[], origin: [number, number] = [11.4, 48.77]): ArrayBuffer {
  const buffer = new ArrayBuffer(HEADER_BYTES + rows.length * VEHICLE_BYTES);
  const bytes = new DataView(buffer);
  bytes.setFloat64(0, 1_764_000_000_000, true);
  bytes.setFloat64(8, origin[0], true);
  bytes.setFloat64(16, origin[1], true);
  rows.forEach(([id, lon, lat, heading, speed], i) => {
    const at = HEADER_BYTES + i * VEHICLE_BYTES;
    bytes.setUint32(at, id, true);
    bytes.setFloat32(at + 4, lon, true);
    bytes.setFloat32(at + 8, lat, true);
    bytes.setUint16(at + 12, heading * 100, true);
    bytes.setUint16(at + 14, speed * 100, true);
  });
  return buffer;
}
function frame(rows: Row[], origin?: [number, number]): VehicleFrame {
  const read = readFrame(written(rows, origin));
  if (read === null) throw new Error("not a frame");
  return read;
}
const row = (floats: Float32Array, i: number): number[] => [...floats.subarray(i * FLOATS, (i + 1) * FLOATS)].map((value) => Math.round(value * 1e5) / 1e5);

describe("reading", () => {
  it("knows time, origin and count", () => {
    expect(frame([[1, 0, 0, 90, 30], [2, 0, 0, 0, 0]])).toMatchObject({ atMs: 1_764_000_000_000, originLon: 11.4, originLat: 48.77, count: 2 });
  });
  it.each([0, 10, HEADER_BYTES - 1, HEADER_BYTES + 1, HEADER_BYTES + VEHICLE_BYTES + 4])("refuses %d bytes", (length) => {
    expect(readFrame(new ArrayBuffer(length))).toBeNull();
  });
  it("takes a frame without vehicles", () => {
    expect(frame([]).count).toBe(0);
  });
});

describe("joining two frames", () => {
  it("moves a vehicle from where it was, whatever its place in the frame", () => {
    const { join } = vehicleJoin();
    join(frame([[7, 0.001, 0.002, 10, 20], [9, 0.003, 0.003, 180, 0]]));
    const { floats } = join(frame([[9, 0.0031, 0.003, 170, 5], [7, 0.0012, 0.002, 20, 25]]));
    expect(row(floats, 0)).toEqual([0.003, 0.003, 180, 0.0031, 0.003, 170, 5]);
    expect(row(floats, 1)).toEqual([0.001, 0.002, 10, 0.0012, 0.002, 20, 25]);
  });
  it("lets a new vehicle appear where it is", () => {
    const { join } = vehicleJoin();
    join(frame([[7, 0.001, 0.002, 10, 20]]));
    expect(row(join(frame([[8, 0.004, 0.004, 45, 1]])).floats, 0)).toEqual([0.004, 0.004, 45, 0.004, 0.004, 45, 1]);
  });
  it("does not draw a line across the city when an id begins a new trip", () => {
    const { join } = vehicleJoin();
    join(frame([[7, -0.01, 0, 10, 20]]));
    expect(row(join(frame([[7, 0.01, 0, 90, 20]])).floats, 0).slice(0, 3)).toEqual([0.01, 0, 90]);
  });
  it("forgets the last frame when the origin moves", () => {
    const { join } = vehicleJoin();
    join(frame([[7, 0.001, 0, 10, 20]]));
    expect(row(join(frame([[7, 0.002, 0, 10, 20]], [11.5, 48.77])).floats, 0)[0]).toBe(0.002);
  });
  it("keeps every vehicle of a big city apart", () => {
    const { join } = vehicleJoin();
    const many = (shift: number): Row[] => Array.from({ length: 20_000 }, (_, i) => [i * 4096 + 1, (i % 100) / 1e5 + shift, Math.floor(i / 100) / 1e5, 0, 1]);
    join(frame(many(0)));
    const { floats, count } = join(frame(many(0.00001).reverse()));
    const wrong = Array.from({ length: count }, (_, i) => row(floats, i)).filter(([from, , , to]) => Math.abs((to ?? 0) - (from ?? 0) - 0.00001) > 2e-6);
    expect([count, wrong.length]).toEqual([20_000, 0]);
  });
});

describe("the list of vehicles", () => {
  const seen = frame([[7, 0.001, 0, 90, 36], [3, 0.0005, 0.00005, 90, 0], [5, 0.02, 0.01, 0, 50]]);
  const road = { line: [[11.4, 48.77], [11.402, 48.77]] as [number, number][] };
  it("has those in sight in order of their ids, with speed in km/h", () => {
    expect(inBox(seen, [11.39, 48.76, 11.41, 48.775]).map(({ id, kmh }) => [id, kmh])).toEqual([[3, 0], [7, 36]]);
  });
  it("has those of a road, and none beside it", () => {
    expect(along(seen, road.line).map((one) => one.id)).toEqual([3, 7]);
    expect(metresTo(road.line, [11.401, 48.7701])).toBeCloseTo(11.1, 0);
    expect([roadUnder([road], [11.401, 48.7701]), roadUnder([road], [11.401, 48.7702])]).toEqual([road, null]);
  });
  it("finds the one under the pointer, and one by its id", () => {
    expect([nearestVehicle(seen, [11.4009, 48.77], 0.0002)?.id, nearestVehicle(seen, [11.41, 48.77], 0.0002)]).toEqual([7, null]);
    expect([withId(seen, 5)?.kmh, withId(seen, 9)]).toEqual([50, null]);
  });
  it("tells a vehicle from other selections", () => {
    expect([vehicleIdOf(selectionOfVehicle(7)), vehicleIdOf("vehicle:x"), vehicleIdOf("event:7")]).toEqual([7, null, null]);
  });
});
