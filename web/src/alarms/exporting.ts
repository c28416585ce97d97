// SPDX-License-Identifier: Apache-2.0
// Takes a whole list along, page after page, and says how far it is.
import { ref } from "vue";
import type { Ref } from "vue";
import { alarms } from "@/alarms/ask";
import { download, toCsv } from "@/alarms/csv";
import type { Column } from "@/alarms/csv";
import { toParams } from "@/alarms/filters";
import type { Filters } from "@/alarms/filters";
import type { Alarm } from "@/alarms/types";
import { kindWords, placeWords } from "@/alarms/words";
import { say, t } from "@/i18n";
import type { Key } from "@/i18n";
import { clock, isLive } from "@/time/clock";
import { shownAtMs } from "@/time/seen";

const PAGE = "500";
const columns = (): Column[] => [
  { title: t("column.time"), of: (row) => row.at },
  { title: t("alarms.column.ended"), of: (row) => row.ended_at ?? "" },
  { title: t("alarms.severity"), of: (row) => row.severity },
  { title: t("alarms.kind"), of: (row) => kindWords(row.kind) },
  { title: t("alarms.column.place"), of: placeWords },
  { title: t("alarms.column.because"), of: (row) => say(row.because.code, { ...row.evidence, ...row.because.facts }) },
  { title: t("alarms.handling"), of: (row) => t(`alarms.handling.${row.handling.state}` as Key) },
  { title: t("alarms.column.with"), of: (row) => row.handling.taken_by ?? row.handling.acknowledged_by ?? "" },
  { title: t("alarms.column.entity"), of: (row) => row.entity_id },
  { title: t("alarms.column.id"), of: (row) => row.id },
];

export function useExport(): { busy: Ref<boolean>; got: Ref<number>; run: (filters: Filters) => Promise<void> } {
  const busy = ref(false);
  const got = ref(0);
  async function run(filters: Filters): Promise<void> {
    if (busy.value) return;
    [busy.value, got.value] = [true, 0];
    const params = toParams(filters, isLive.value ? (shownAtMs.value ?? Date.now()) : clock.atMs, !isLive.value);
    params.set("limit", PAGE);
    const rows: Alarm[] = [];
    try {
      for (let cursor: string | null = ""; cursor !== null;) {
        if (cursor !== "") params.set("cursor", cursor);
        const page = await alarms.find(params);
        rows.push(...page.rows);
        [cursor, got.value] = [page.next, rows.length];
      }
      download(toCsv(rows, columns()), "alarms.csv");
    } finally { busy.value = false; }
  }
  return { busy, got, run };
}
