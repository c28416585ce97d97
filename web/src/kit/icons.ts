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
  phone: "M6 3h3l2 5-2.500 1.500a12 12 0 0 0 6 6L16 13l5 2v3a3 3 0 0 1-3 3A15 15 0 0 1 3 6a3 3 0 0 1 3-3z",
  board: "M4 4h16v16H4zm0 6h16M10 10v10m3.500-6.500h3m-3 3h3",
  callback: "M6 3h3l2 5-2.500 1.500a12 12 0 0 0 6 6L16 13l5 2v3a3 3 0 0 1-3 3A15 15 0 0 1 3 6a3 3 0 0 1 3-3zm14 0-5 5m0-4v4h4",
  book: "M5 4h6a3 3 0 0 1 1 2.500A3 3 0 0 1 14 4h5v14h-6l-1 1.500L11 18H5zm7 2.500V19",
  routes: "M5 5v4a4 4 0 0 0 4 4h6a4 4 0 0 1 4 4v2M5 3v4m-2 0h4m10 12h4l-2 2.500zM5 9v10m-2 0h4l-2 2.500z",
  pencil: "M4 20l1-4.500L16 4.500l3.500 3.500L8.500 19zM13.500 7l3.500 3.500",
  pin: "M12 21s7-6.200 7-11.500a7 7 0 1 0-14 0C5 14.800 12 21 12 21zm0-9a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z",
  camera: "M4 8h3.500L9 5.500h6L16.500 8H20v11H4zm8 8.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7z",
  receipt: "M6 3h12v18l-3-2-3 2-3-2-3 2zM9 8h6M9 12h6",
} as const;

export type IconName = keyof typeof PATHS;
