// SPDX-License-Identifier: Apache-2.0
// Which desk comes first, and what of the address is a filter.
import { expect, it } from "vitest";
import { desks, grouped } from "@/shell/app";
import type { CityApp } from "@/shell/app";
import { filters, readFilters } from "@/shell/filters";

const app = (name: string, more: Partial<CityApp> = {}): CityApp => ({
  name, layers: [], marks: [], inspectors: [], places: () => [], panels: [{ path: `/${name}`, title: "desk.pool", icon: "pool", component: {} }], ...more,
});

it.each([[true, ["/traffic", "/pool"]], [false, ["/pool", "/traffic"]]])("puts desks about streets first only where there are streets: %s", (hasStreets, expected) => {
  expect(desks([app("pool"), app("traffic", { streets: true })], hasStreets).map((panel) => panel.path)).toEqual(expected);
});

it("keeps the desks of one word together, where its first desk stands", () => {
  const panel = (path: string, group?: "work" | "data") => ({ path, title: "desk.pool", icon: "pool", component: {}, ...(group ? { group } : {}) }) as const;
  const found = grouped([panel("/work", "work"), panel("/events"), panel("/calls", "work"), panel("/pool", "data")]);
  expect(found.map((one) => [one.group, one.panels.map((each) => each.path)])).toEqual([["work", ["/work", "/calls"]], ["city", ["/events"]], ["data", ["/pool"]]]);
});

it("leaves out a desk that has nothing to show", () => {
  const hidden = { path: "/devices", title: "desk.devices", icon: "device", component: {}, shown: () => false } as const;
  expect(desks([app("pool", { panels: [hidden] })], false)).toEqual([]);
});

it("reads filters from an address and forgets those that are not there", () => {
  readFilters({ type: "Streetlight", words: "beach", sel: "urn:a", at: "x" });
  expect({ ...filters }).toEqual({ type: "Streetlight", words: "beach" });
  readFilters({ type: "Garden" });
  expect({ ...filters }).toEqual({ type: "Garden", words: "" });
});
