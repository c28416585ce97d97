// SPDX-License-Identifier: Apache-2.0
// The moving vehicles: one buffer per frame, the motion between two frames is done by the vertex shader.
import { MercatorCoordinate } from "maplibre-gl";
import type { CustomLayerInterface, CustomRenderMethodInput, Map as LibreMap } from "maplibre-gl";
import type { VehicleFrame } from "@/api/vehicles";
import { FLOATS, vehicleJoin } from "@/map/vehicle-buffer";
import type { VehicleBuffer } from "@/map/vehicle-buffer";
import { MOVING, STANDING, STANDING_KMH } from "@/map/vehicle-colours";

// Web mercator around a local origin: second order in latitude, 2 cm at 11 km.
const VERTEX = `#version 300 es
uniform mat4 u_matrix; uniform float u_t; uniform vec2 u_px; uniform vec2 u_lat;
in vec3 a_from; in vec3 a_to; in float a_speed;
out vec2 v_turn; out float v_standing; out float v_px;
void main() {
  vec2 at = mix(a_from.xy, a_to.xy, u_t);
  float lat = radians(at.y);
  vec2 world = vec2(at.x / 360.0, -(lat * u_lat.x + 0.5 * lat * lat * u_lat.x * u_lat.y) / 6.283185307);
  gl_Position = u_matrix * vec4(world, 0.0, 1.0);
  gl_PointSize = u_px.x;
  float turn = mod(a_to.z - a_from.z + 540.0, 360.0) - 180.0;
  float heading = radians(a_from.z + turn * u_t);
  v_turn = vec2(sin(heading), cos(heading));
  v_standing = a_speed < ${STANDING_KMH.toFixed(1)} ? 1.0 : 0.0;
  v_px = u_px.x;
}`;

// A car 5 m × 2 m within its point; when it is only a few pixels wide, a dot.
const FRAGMENT = `#version 300 es
precision highp float;
uniform vec3 u_moving; uniform vec3 u_standing; uniform vec2 u_px;
in vec2 v_turn; in float v_standing; in float v_px;
out vec4 colour;
void main() {
  vec2 p = (gl_PointCoord - 0.5) * vec2(1.0, -1.0);
  vec2 q = vec2(p.x * v_turn.y - p.y * v_turn.x, p.x * v_turn.x + p.y * v_turn.y);
  float car = length(max(abs(q) - vec2(0.10, 0.34), 0.0)) - 0.08;
  float disc = length(p) - 0.42;
  float d = mix(disc, car, u_px.y) * v_px;
  float a = clamp(0.5 - d, 0.0, 1.0);
  if (a <= 0.0) discard;
  vec3 fill = mix(u_moving, u_standing, v_standing);
  float nose = u_px.y * smoothstep(0.16, 0.2, q.y) * 0.35;
  colour = vec4(fill * (1.0 - nose) * a, a);
}`;

function rgb(hex: string): [number, number, number] {
  const value = Number.parseInt(hex.slice(1), 16);
  return [(value >> 16) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255];
}

function compile(gl: WebGL2RenderingContext): WebGLProgram {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]] as const) {
    const shader = gl.createShader(kind);
    if (shader === null) throw new Error("no shader");
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader) ?? "shader");
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program) ?? "program");
  return program;
}

/** The map's matrix moved to a local origin in double precision, so that the shader's floats stay exact. */
function localMatrix(matrix: ArrayLike<number>, x: number, y: number): Float32Array {
  const m = (i: number): number => matrix[i] ?? 0;
  const local = Float32Array.from({ length: 16 }, (_, i) => m(i));
  for (let i = 0; i < 4; i += 1) local[12 + i] = m(i) * x + m(4 + i) * y + m(12 + i);
  return local;
}

interface Drawing {
  gl: WebGL2RenderingContext;
  program: WebGLProgram;
  vertices: WebGLVertexArrayObject;
  buffer: WebGLBuffer;
  uniform: Record<"matrix" | "t" | "px" | "lat" | "moving" | "standing", WebGLUniformLocation | null>;
}

function prepare(gl: WebGL2RenderingContext): Drawing {
  const program = compile(gl);
  const vertices = gl.createVertexArray();
  const buffer = gl.createBuffer();
  gl.bindVertexArray(vertices);
  gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
  for (const [name, size, offset] of [["a_from", 3, 0], ["a_to", 3, 12], ["a_speed", 1, 24]] as const) {
    const place = gl.getAttribLocation(program, name);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, size, gl.FLOAT, false, FLOATS * 4, offset);
  }
  gl.bindVertexArray(null);
  const at = (name: string): WebGLUniformLocation | null => gl.getUniformLocation(program, `u_${name}`);
  const uniform = { matrix: at("matrix"), t: at("t"), px: at("px"), lat: at("lat"), moving: at("moving"), standing: at("standing") };
  return { gl, program, vertices, buffer, uniform };
}

const METRES_PER_PIXEL_0 = 78271.51696;

/** The point's size in pixels and whether it is drawn as a car (1) or a dot (0), for a zoom and latitude. */
export function sizeOf(zoom: number, lat: number): [number, number] {
  const perPixel = (METRES_PER_PIXEL_0 * Math.cos((lat * Math.PI) / 180)) / 2 ** zoom;
  const car = 6 / perPixel;
  return [Math.max(car, 2.75 + Math.max(0, zoom - 13.5) * 0.75), Math.min(1, Math.max(0, (car - 5) / 4))];
}

export interface VehicleLayer extends CustomLayerInterface {
  /** Takes a frame; returns the milliseconds it took on the main thread. */
  take: (frame: VehicleFrame) => number;
  show: (shown: boolean) => void;
  /** In which colours what moves and what stands is drawn. */
  tint: (moving: string, standing: string) => void;
  count: () => number;
  isShown: () => boolean;
}

const calm = typeof matchMedia !== "undefined" && matchMedia("(prefers-reduced-motion: reduce)").matches;

// eslint-disable-next-line max-lines-per-function -- one closure holds the layer's graphics state
export function vehicleLayer(id: string): VehicleLayer {
  const joined = vehicleJoin();
  let map: LibreMap | null = null;
  let drawing: Drawing | null = null;
  let now: VehicleBuffer | null = null;
  let arrivedAt = 0;
  let intervalMs = 500;
  let visible = true;
  let pending = false;
  let [moving, standing] = [rgb(MOVING), rgb(STANDING)];

  /** Draws again soon, but never faster than the machine can: a slow renderer gets calmer instead of choking input. */
  function again(asked: number): void {
    if (pending || map === null) return;
    pending = true;
    const wait = Math.max(30, performance.now() - asked);
    window.setTimeout(() => { pending = false; map?.triggerRepaint(); }, Math.min(wait, 400));
  }

  function render(gl: WebGL2RenderingContext, input: CustomRenderMethodInput): void {
    if (drawing === null || now === null || now.count === 0 || !visible || map === null) return;
    const t = calm ? 1 : Math.min(1, (performance.now() - arrivedAt) / intervalMs);
    const origin = MercatorCoordinate.fromLngLat([now.originLon, now.originLat]);
    const lat = (now.originLat * Math.PI) / 180;
    const [px, isCar] = sizeOf(map.getZoom(), now.originLat);
    const { uniform } = drawing;
    gl.useProgram(drawing.program);
    gl.bindVertexArray(drawing.vertices);
    gl.uniformMatrix4fv(uniform.matrix, false, localMatrix(input.defaultProjectionData.mainMatrix, origin.x, origin.y));
    gl.uniform1f(uniform.t, t);
    gl.uniform2f(uniform.px, px * map.getPixelRatio(), isCar);
    gl.uniform2f(uniform.lat, 1 / Math.cos(lat), Math.tan(lat));
    gl.uniform3fv(uniform.moving, moving);
    gl.uniform3fv(uniform.standing, standing);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.drawArrays(gl.POINTS, 0, now.count);
    gl.bindVertexArray(null);
    if (t < 1) again(performance.now());
  }

  function take(frame: VehicleFrame): number {
    const began = performance.now();
    now = joined.join(frame);
    intervalMs = arrivedAt === 0 ? 500 : Math.min(3000, Math.max(200, 0.7 * intervalMs + 0.3 * (began - arrivedAt)));
    arrivedAt = began;
    if (drawing !== null) {
      const { gl } = drawing;
      gl.bindBuffer(gl.ARRAY_BUFFER, drawing.buffer);
      gl.bufferData(gl.ARRAY_BUFFER, now.floats.subarray(0, now.count * FLOATS), gl.DYNAMIC_DRAW);
    }
    if (visible) map?.triggerRepaint();
    return performance.now() - began;
  }

  return {
    id,
    type: "custom",
    renderingMode: "2d",
    onAdd: (added, gl) => { map = added; drawing = prepare(gl); },
    onRemove: () => { map = null; drawing = null; },
    render,
    take,
    show: (shown) => { visible = shown; map?.triggerRepaint(); },
    tint: (...colours) => { [moving, standing] = [rgb(colours[0]), rgb(colours[1])]; map?.triggerRepaint(); },
    count: () => now?.count ?? 0,
    isShown: () => visible,
  };
}
