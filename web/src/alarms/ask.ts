// SPDX-License-Identifier: Apache-2.0
// The requests about alarms.
import { ask, part, write } from "@/api/client";
import type { Text } from "@/api/types";
import type { Alarm, AlarmPage, AlarmStory, Done, Wanted } from "@/alarms/types";

const of = (id: string): string => `/api/alarms/${part(id)}`;

export const alarms = {
  find: (params: URLSearchParams) => ask<AlarmPage>(`/api/alarms?${params.toString()}`),
  story: (id: string) => ask<AlarmStory>(of(id)),
  act: (id: string, wanted: Wanted) => write<Alarm>("POST", `${of(id)}/acts`, wanted),
  actAll: (ids: readonly string[], wanted: Wanted) => write<Done>("POST", "/api/alarms/acts", { ids, ...wanted }),
};

/** A filter as the server keeps it: what it asks for in the parts of an address. */
export interface KeptFilter { id: number; owner: string; department: string | null; name: string; query: Record<string, string>; version: number; may_change: boolean }
export interface KeptFilters { filters: KeptFilter[]; departments: { id: string; name: Text }[] }
export type NewFilter = Pick<KeptFilter, "name" | "query" | "department">;

export const keptFilters = {
  all: () => ask<KeptFilters>("/api/alarm-filters"),
  make: (filter: NewFilter) => write<KeptFilter>("POST", "/api/alarm-filters", filter),
  change: (id: number, filter: NewFilter & { version: number }) => write<KeptFilter>("PUT", `/api/alarm-filters/${id}`, filter),
  drop: (id: number) => write<unknown>("DELETE", `/api/alarm-filters/${id}`),
};
