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

/** Opens the vehicle socket and keeps it open; frames that cannot be read are dropped and counted by the caller. */
export function watchVehicles(give: (frame: VehicleFrame) => void): () => void {
  let socket: WebSocket | null = null;
  let timer = 0;
  let ended = false;

  function open(): void {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const fresh = new WebSocket(`${scheme}://${location.host}/api/vehicles`);
    socket = fresh;
    fresh.binaryType = "arraybuffer";
    fresh.onmessage = (message: MessageEvent<ArrayBuffer>) => {
      const frame = readFrame(message.data);
      if (frame !== null) give(frame);
    };
    fresh.onclose = () => { if (!ended) timer = window.setTimeout(open, RETRY_MS); };
  }

  open();
  return () => { ended = true; window.clearTimeout(timer); socket?.close(); };
}
