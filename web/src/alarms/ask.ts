// SPDX-License-Identifier: Apache-2.0
// The requests about alarms.
import { ask, part, write } from "@/api/client";
import type { Alarm, AlarmPage, AlarmStory, Done, Wanted } from "@/alarms/types";

const of = (id: string): string => `/api/alarms/${part(id)}`;

export const alarms = {
  find: (params: URLSearchParams) => ask<AlarmPage>(`/api/alarms?${params.toString()}`),
  story: (id: string) => ask<AlarmStory>(of(id)),
  act: (id: string, wanted: Wanted) => write<Alarm>("POST", `${of(id)}/acts`, wanted),
  actAll: (ids: readonly string[], wanted: Wanted) => write<Done>("POST", "/api/alarms/acts", { ids, ...wanted }),
};
