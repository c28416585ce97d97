// SPDX-License-Identifier: Apache-2.0
// The requests about playbooks.
import { ask, part, query, write } from "@/api/client";
import type { Playbook, PlaybookView, Trial } from "@/apps/operations/playbooks/types";

const AT = "/api/operations/playbooks";
const of = (id: string): string => `${AT}/${part(id)}`;

export const playbooks = {
  all: () => ask<PlaybookView[]>(AT),
  one: (id: string, version?: number) => ask<PlaybookView>(`${of(id)}${query({ version: version === undefined ? undefined : String(version) })}`),
  put: (playbook: Playbook) => write<PlaybookView>("PUT", of(playbook.id), playbook),
  activate: (id: string, version: number) => write<PlaybookView>("POST", `${of(id)}/activate`, { version }),
  retire: (id: string) => write<PlaybookView>("POST", `${of(id)}/retire`),
  dryRun: (playbook: Playbook) => write<Trial>("POST", `${AT}/dry-run`, { playbook }),
};
