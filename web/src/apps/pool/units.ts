// SPDX-License-Identifier: Apache-2.0
// Signs of units by their codes of UN/CEFACT Recommendation 20; a code we do not know is shown as it is.

const SIGN: Partial<Record<string, string>> = {
  CEL: "°C", KEL: "K", P1: "%", C62: "", GQ: "µg/m³", GP: "mg/m³", FP: "mg/m³", "59": "ppm", "61": "ppb", A97: "hPa", PAL: "Pa", KPA: "kPa", BAR: "bar",
  MTR: "m", CMT: "cm", MMT: "mm", KMT: "km", MTS: "m/s", KMH: "km/h", KNT: "kn", DD: "°", LUX: "lx", LUM: "lm", "2N": "dB", HTZ: "Hz",
  WTT: "W", KWT: "kW", KWH: "kWh", WHR: "Wh", VLT: "V", AMP: "A", MTQ: "m³", LTR: "L", MQH: "m³/h", MQS: "m³/s", L2: "L/min", MTK: "m²",
  KGM: "kg", GRM: "g", TNE: "t", SEC: "s", MIN: "min", HUR: "h", DAY: "d", H67: "mm/h", D54: "W/m²", N86: "µS/cm",
};

export const unitSign = (code: string): string => SIGN[code] ?? code;
