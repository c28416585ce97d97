// SPDX-License-Identifier: Apache-2.0
// What the supervisor board shows is in its address: period, part, and which number's rows are open.
import { computed } from "vue";
import type { ComputedRef } from "vue";
import { useRoute, useRouter } from "vue-router";
import { departmentName } from "@/apps/hotline/catalogue";
import { COUNTS, RATES } from "@/apps/hotline/types";
import type { Behind, Span } from "@/apps/hotline/types";
import { PERIODS, spanOf } from "@/apps/hotline/words";
import type { Period } from "@/apps/hotline/words";
import { t } from "@/i18n";
import type { Key } from "@/i18n";

export const TABS = ["departments", "places", "supervised", "clerks"] as const;
export type Tab = (typeof TABS)[number];

export interface Board {
  period: ComputedRef<Period>; tab: ComputedRef<Tab>; span: ComputedRef<Span>; behind: ComputedRef<Behind | null>; title: ComputedRef<string>;
  go: (change: Record<string, string | undefined>) => void; open: (behind: Behind) => void;
}

const ROWS = ["department", "only", "rate", "good", "ids"] as const;
const nothing = Object.fromEntries(ROWS.map((name) => [name, undefined]));

function titleOf(behind: Behind | null): string {
  if (behind === null) return "";
  if (behind.ids !== undefined) return t("supervision.rows_of_place");
  const whose = departmentName(behind.department ?? "");
  const rate = RATES.find((one) => one === behind.rate);
  const count = COUNTS.find((one) => one === behind.only) ?? "tickets";
  const what = rate === undefined ? t(`hotline.count.${count}` as Key) : `${t(`hotline.rate.${rate}` as Key)} · ${t(behind.good === "false" ? "supervision.bad_ones" : behind.good === "true" ? "supervision.good_ones" : "supervision.counted_ones")}`;
  return `${whose} · ${what}`;
}

export function useBoard(): Board {
  const route = useRoute();
  const router = useRouter();
  const word = (name: string): string | undefined => { const value = route.query[name]; return typeof value === "string" && value !== "" ? value : undefined; };
  const period = computed<Period>(() => PERIODS.find((one) => one === word("period")) ?? "days30");
  const behind = computed<Behind | null>(() => {
    const found = Object.fromEntries(ROWS.map((name) => [name, word(name)])) as Behind;
    return word("rows") === undefined ? null : found;
  });
  const go = (change: Record<string, string | undefined>): void => { void router.replace({ query: { ...route.query, ...change } }); };
  return {
    period, behind, go,
    tab: computed<Tab>(() => TABS.find((one) => one === word("tab")) ?? "departments"),
    span: computed(() => spanOf(period.value, new Date())),
    title: computed(() => titleOf(behind.value)),
    open: (asked) => { go({ ...nothing, ...asked, rows: "1" }); },
  };
}
