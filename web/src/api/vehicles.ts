// SPDX-License-Identifier: Apache-2.0
// Vehicle positions: binary frames over a WebSocket that opens itself again.

export const HEADER_BYTES = 24;
export const VEHICLE_BYTES = 16;

/** One frame: `n` vehicles as columns, degrees relative to the origin. The arrays are views into the frame or fresh. */
export interface VehicleFrame {
  atMs: number;
  originLon: number;
  originLat: number;
  count: number;
  bytes: DataView;
}

/** Reads a frame (little-endian, 24 B header, 16 B per vehicle); null when its length cannot be one. */
export function readFrame(buffer: ArrayBuffer): VehicleFrame | null {
  const rest = buffer.byteLength - HEADER_BYTES;
  if (rest < 0 || rest % VEHICLE_BYTES !== 0) return null;
  const bytes = new DataView(buffer);
  return {
    atMs: bytes.getFloat64(0, true),
    originLon: bytes.getFloat64(8, true),
    originLat: bytes.getFloat64(16, true),
    count: rest / VEHICLE_BYTES,
    bytes,
  };
}

const RETRY_MS = 1500;

/** A vehicle as a row: degrees, degrees clockwise from north, km/h. */
export interface Vehicle { id: number; lon: number; lat: number; heading: number; kmh: number }

/** The vehicle at one place of a frame. */
export function vehicleAt({ bytes, originLon, originLat }: VehicleFrame, place: number): Vehicle {
  const at = HEADER_BYTES + place * VEHICLE_BYTES;
  return {
    id: bytes.getUint32(at, true), lon: originLon + bytes.getFloat32(at + 4, true), lat: originLat + bytes.getFloat32(at + 8, true),
    heading: bytes.getUint16(at + 12, true) / 100, kmh: bytes.getUint16(at + 14, true) / 100,
  };
}

const ears = new Set<(frame: VehicleFrame) => void>();
/** The newest frame, as long as somebody watches. */
export const newest: { frame: VehicleFrame | null } = { frame: null };
let stop: (() => void) | null = null;

/** Hears every frame; however many listen, there is one socket. Answers with how to stop. */
export function watchVehicles(give: (frame: VehicleFrame) => void): () => void {
  ears.add(give);
  stop ??= open((frame) => {
    newest.frame = frame;
    for (const ear of ears) ear(frame);
  });
  return () => {
    ears.delete(give);
    if (ears.size > 0) return;
    stop?.();
    stop = newest.frame = null;
  };
}

/** Opens the vehicle socket and keeps it open; frames that cannot be read are dropped. */
function open(give: (frame: VehicleFrame) => void): () => void {
  let socket: WebSocket | null = null;
  let timer = 0;
  let ended = false;

  function connect(): void {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const fresh = new WebSocket(`${scheme}://${location.host}/api/vehicles`);
    socket = fresh;
    fresh.binaryType = "arraybuffer";
    fresh.onmessage = (message: MessageEvent<ArrayBuffer>) => {
      const frame = readFrame(message.data);
      if (frame !== null) give(frame);
    };
    fresh.onclose = () => { if (!ended) timer = window.setTimeout(connect, RETRY_MS); };
  }

  connect();
  return () => { ended = true; window.clearTimeout(timer); socket?.close(); };
}
