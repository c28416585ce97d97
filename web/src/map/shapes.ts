// SPDX-License-Identifier: Apache-2.0
// Small marks drawn into pixels, so that shape as well as colour says what a thing is.

export type Shape = "triangle" | "diamond" | "square" | "dot";
export interface Pixels { width: number; height: number; data: Uint8ClampedArray }

const SIZE = 36;
export const PIXEL_RATIO = 2;

const OUTLINE: Record<Shape, [number, number][]> = {
  triangle: [[18, 4], [33, 31], [3, 31]],
  diamond: [[18, 2], [34, 18], [18, 34], [2, 18]],
  square: [[5, 5], [31, 5], [31, 31], [5, 31]],
  dot: [],
};

export function drawShape(shape: Shape, colour: string): Pixels {
  const canvas = document.createElement("canvas");
  canvas.width = SIZE;
  canvas.height = SIZE;
  const pen = canvas.getContext("2d");
  if (pen === null) throw new Error("no canvas");
  pen.beginPath();
  if (shape === "dot") pen.arc(18, 18, 14, 0, 2 * Math.PI);
  OUTLINE[shape].forEach(([x, y], i) => { if (i === 0) pen.moveTo(x, y); else pen.lineTo(x, y); });
  pen.closePath();
  pen.fillStyle = colour;
  pen.strokeStyle = "#0b1620";
  pen.lineWidth = 4;
  pen.lineJoin = "round";
  pen.stroke();
  pen.fill();
  return { width: SIZE, height: SIZE, data: pen.getImageData(0, 0, SIZE, SIZE).data };
}
