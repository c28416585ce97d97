// SPDX-License-Identifier: Apache-2.0
// The vehicles of a frame as rows of a list: those in sight or along a road, and the one under the pointer. Pure.
import { vehicleAt } from "@/api/vehicles";
import type { Vehicle, VehicleFrame } from "@/api/vehicles";
import type { LonLat } from "@/api/types";
import type { Box } from "@/map/view-box";

const PREFIX = "vehicle:";
export const selectionOfVehicle = (id: number): string => `${PREFIX}${id}`;
export function vehicleIdOf(selection: string): number | null {
  const id = selection.startsWith(PREFIX) ? Number(selection.slice(PREFIX.length)) : Number.NaN;
  return Number.isInteger(id) && id >= 0 ? id : null;
}

/** So far beside the middle of a road a vehicle is still on it: three lanes and what positions are off. */
const BESIDE_M = 12;
export const METRES_OF_A_DEGREE = 111_320;
type Flat = readonly [number, number];

function flat([lon, lat]: LonLat, [atLon, atLat]: LonLat): Flat {
  return [(lon - atLon) * Math.cos((atLat * Math.PI) / 180) * METRES_OF_A_DEGREE, (lat - atLat) * METRES_OF_A_DEGREE];
}
function metresToPart([ax, ay]: Flat, [bx, by]: Flat): number {
  const [dx, dy] = [bx - ax, by - ay];
  const long = dx * dx + dy * dy;
  const share = long === 0 ? 0 : Math.min(1, Math.max(0, -(ax * dx + ay * dy) / long));
  return Math.hypot(ax + share * dx, ay + share * dy);
}
/** How far a place is from a line, in metres. */
export function metresTo(line: readonly LonLat[], place: LonLat): number {
  const points = line.map((point) => flat(point, place));
  return Math.min(...points.slice(1).map((point, i) => metresToPart(points[i] ?? point, point)));
}

/** The road on which a vehicle most likely is. */
export function roadUnder<R extends { line: LonLat[] }>(roads: readonly R[], place: LonLat): R | null {
  let [best, least] = [null as R | null, BESIDE_M];
  for (const road of roads) {
    const metres = metresTo(road.line, place);
    if (metres < least) [best, least] = [road, metres];
  }
  return best;
}

function rowsWhere(frame: VehicleFrame, fits: (vehicle: Vehicle) => boolean): Vehicle[] {
  const found: Vehicle[] = [];
  for (let i = 0; i < frame.count; i += 1) {
    const vehicle = vehicleAt(frame, i);
    if (fits(vehicle)) found.push(vehicle);
  }
  return found.sort((a, b) => a.id - b.id);
}
export const isInside = ({ lon, lat }: Vehicle, [west, south, east, north]: Box): boolean => lon >= west && lon <= east && lat >= south && lat <= north;
export const inBox = (frame: VehicleFrame, box: Box): Vehicle[] => rowsWhere(frame, (vehicle) => isInside(vehicle, box));
export const along = (frame: VehicleFrame, line: readonly LonLat[]): Vehicle[] => rowsWhere(frame, ({ lon, lat }) => metresTo(line, [lon, lat]) < BESIDE_M);
export const withId = (frame: VehicleFrame, id: number): Vehicle | null => rowsWhere(frame, (vehicle) => vehicle.id === id)[0] ?? null;

/** The vehicle nearest to a place, within so many degrees of longitude. */
export function nearestVehicle(frame: VehicleFrame, [lon, lat]: LonLat, reach: number): Vehicle | null {
  const shrink = Math.cos((lat * Math.PI) / 180);
  let [best, least] = [null as Vehicle | null, reach];
  for (let i = 0; i < frame.count; i += 1) {
    const vehicle = vehicleAt(frame, i);
    const far = Math.hypot(vehicle.lon - lon, (vehicle.lat - lat) / shrink);
    if (far < least) [best, least] = [vehicle, far];
  }
  return best;
}
