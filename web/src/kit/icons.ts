// SPDX-License-Identifier: Apache-2.0
// The paths of our icons, own drawings.

export const PATHS = {
  compare: "M4 19V5m0 14h16M8 15l4-5 3 3 5-7",
  alert: "M12 4 2.5 20h19L12 4zm0 6v5m0 2.5v.01",
  road: "M7 21 9.5 3M17 21 14.5 3M12 5v2m0 4v2m0 4v2",
  signal: "M8 3h8v18H8zM12 7.5v.01M12 12v.01M12 16.5v.01",
  layers: "m12 3 9 5-9 5-9-5zm-9 9 9 5 9-5m-18 4 9 5 9-5",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zm5-2 5 5",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zm-7 9c.6-4 3.500-6 7-6s6.400 2 7 6",
  keys: "M3 7h18v10H3zm4 3v.01M11 10v.01M15 10v.01M7 14h10",
  play: "M7 4v16l13-8z",
  pause: "M8 5v14M16 5v14",
  back: "M19 5v14L9 12zM6 5v14",
  forward: "M5 5v14l10-7zM18 5v14",
  fit: "M4 9V4h5m6 0h5v5m0 6v5h-5m-6 0H4v-5",
  pool: "M4 6c0-1.700 3.600-3 8-3s8 1.300 8 3-3.600 3-8 3-8-1.300-8-3zm0 0v12c0 1.700 3.600 3 8 3s8-1.300 8-3V6M4 12c0 1.700 3.600 3 8 3s8-1.300 8-3",
  bell: "M6 17V11a6 6 0 0 1 12 0v6l2 1H4zm4 1a2 2 0 0 0 4 0",
  quality: "M4 5h10M4 11h7M4 17h5m4-1 3 3 5-7",
  device: "M8 10h8v10H8zm4-3v3m0 4v.01M7.500 7a6 6 0 0 1 9 0M5 4.500a9.500 9.500 0 0 1 14 0",
} as const;

export type IconName = keyof typeof PATHS;
