// SPDX-License-Identifier: Apache-2.0
// The requests of the operation centre.
import { ask, query } from "@/api/client";
import type { Figure } from "@/apps/operations/types";

const AT = "/api/operations";

export const operations = {
  indicators: (span: { since: string; until: string }) => ask<Figure[]>(`${AT}/indicators${query(span)}`),
};
