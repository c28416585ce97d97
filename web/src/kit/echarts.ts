// SPDX-License-Identifier: Apache-2.0
// ECharts core with lines only, in our tokens. Loaded lazily; tooltips are drawn, not HTML, so the CSP stays strict.
import { LineChart } from "echarts/charts";
import { GridComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import type { ECBasicOption } from "echarts/types/dist/shared";
import { CanvasRenderer } from "echarts/renderers";
import { recoloured, themeAt } from "@/kit/colours";
import { clockTime, dayOnly, dayTime, number } from "@/i18n";

echarts.use([LineChart, GridComponent, TooltipComponent, MarkLineComponent, CanvasRenderer]);

export interface ChartLine { name: string; colour: string; points: [number, number | null][]; dashed?: boolean }
/** `anyZero`: the axis need not begin at zero (temperatures, pressures). */
export interface ChartHow { markMs: number | null; anyZero: boolean }
export interface ChartHandle { draw: (lines: ChartLine[], unit: string, how: ChartHow) => void; resize: () => void; close: () => void }

const AXIS = { axisLine: { lineStyle: { color: "#3a5368" } }, axisTick: { show: false }, axisLabel: { color: "#9fb3c4", fontSize: 11 } };

function seriesOf(line: ChartLine, markMs: number | null): object {
  return {
    type: "line", name: line.name, data: line.points, showSymbol: line.points.length < 2, symbolSize: 4, connectNulls: false,
    lineStyle: { width: line.dashed ? 1.5 : 2, type: line.dashed ? "dashed" : "solid", color: line.colour }, itemStyle: { color: line.colour },
    ...(markMs === null ? {} : { markLine: { silent: true, symbol: "none", label: { show: false }, lineStyle: { color: "#c79bff", type: "solid" }, data: [{ xAxis: markMs }] } }),
  };
}

const LONG_MS = 36 * 3_600_000;
/** Over more than a day and a half the time of day says nothing on an axis. */
function isLong(lines: ChartLine[]): boolean {
  const ends = lines.flatMap((line) => [line.points[0]?.[0], line.points.at(-1)?.[0]]).filter((at) => at !== undefined);
  return ends.length > 0 && Math.max(...ends) - Math.min(...ends) > LONG_MS;
}

interface TipPoint { seriesName?: string; value: [number, number | null] }

function optionOf(lines: ChartLine[], unit: string, { markMs, anyZero }: ChartHow): ECBasicOption {
  return {
    animation: false,
    grid: { left: 8, right: 22, top: 24, bottom: 4, containLabel: true },
    tooltip: {
      trigger: "axis", renderMode: "richText", confine: true, backgroundColor: "#182a38", borderColor: "#3a5368", textStyle: { color: "#e8eef3", fontSize: 12 },
      formatter: (points: TipPoint[]) => [dayTime(points[0]?.value[0] ?? 0), ...points.map((point) => `${point.seriesName ?? ""}  ${point.value[1] === null ? "–" : number(point.value[1], 2)} ${unit}`)].join("\n"),
    },
    xAxis: { type: "time", ...AXIS, splitLine: { show: false }, axisLabel: { ...AXIS.axisLabel, hideOverlap: true, formatter: (at: number) => (isLong(lines) ? dayOnly(at) : clockTime(at, false)) } },
    yAxis: { type: "value", ...(anyZero ? { scale: true } : { min: 0 }), name: unit, nameTextStyle: { color: "#9fb3c4", fontSize: 11, align: "left" }, nameGap: 10, ...AXIS, axisLine: { show: false }, splitLine: { lineStyle: { color: "#24384a" } }, splitNumber: 4 },
    series: lines.map((line, i) => seriesOf(line, i === 0 ? markMs : null)),
  };
}

export function openChart(box: HTMLElement): ChartHandle {
  const chart = echarts.init(box, undefined, { renderer: "canvas" });
  return {
    draw: (lines, unit, how) => { chart.setOption(recoloured(optionOf(lines, unit, how), themeAt(box)), { notMerge: true }); },
    resize: () => { chart.resize(); },
    close: () => { chart.dispose(); },
  };
}
