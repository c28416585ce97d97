// SPDX-License-Identifier: Apache-2.0
// How the hotline's figures and times are written.
import { number, t } from "@/i18n";
import type { Share, Span } from "@/apps/hotline/types";

export const percent = (value: number | null | undefined): string => (value === null || value === undefined ? "–" : `${number(value * 100, 1)} %`);
export const shareWords = (share: Share | undefined): string => (share === undefined || share.of === 0 ? "–" : `${percent(share.value)}`);

/** `75` as `1:15`. */
export function minutes(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

const HOUR_MS = 3_600_000;
/** How long something is due or late, in the largest unit that says enough. */
export function leftWords(dueAt: string | null, nowMs: number): string {
  if (dueAt === null) return "";
  const hours = (Date.parse(dueAt) - nowMs) / HOUR_MS;
  const far = Math.abs(hours) >= 48;
  const n = far ? number(Math.floor(Math.abs(hours) / 24)) : number(Math.abs(hours), Math.abs(hours) < 10 ? 1 : 0);
  if (hours < 0) return far ? t("hotline.late_days", { n }) : t("hotline.late_hours", { n });
  return far ? t("hotline.left_days", { n }) : t("hotline.left_hours", { n });
}

/** A receipt number as one reads it out: letters, the day by four digits, the rest by three. */
export function readOut(receipt: string): string[] {
  const [, letters = "", day = "", rest = receipt] = /^([A-Za-z]*)(\d{8})?(.*)$/.exec(receipt) ?? [];
  return [letters, ...(day.match(/.{4}/g) ?? []), ...(rest.match(/.{1,3}/g) ?? [])].filter((one) => one !== "");
}

export const PERIODS = ["days7", "days30", "days90", "month", "last_month"] as const;
export type Period = (typeof PERIODS)[number];
const DAY_MS = 24 * HOUR_MS;
const LENGTH: Partial<Record<Period, number>> = { days7: 7, days30: 30, days90: 90 };

/** From when until when; months are those of the reader's calendar. */
export function spanOf(period: Period, now: Date): Span {
  const days = LENGTH[period];
  if (days !== undefined) return { since: new Date(now.getTime() - days * DAY_MS).toISOString(), until: now.toISOString() };
  const back = period === "month" ? 0 : 1;
  const since = new Date(now.getFullYear(), now.getMonth() - back, 1);
  const until = back === 0 ? now : new Date(now.getFullYear(), now.getMonth(), 1);
  return { since: since.toISOString(), until: until.toISOString() };
}

export const monthOf = (at: Date): string => `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, "0")}`;
/** What an input for date and time wants: local, without zone. */
export const localInput = (at: Date): string => new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

/** What makes a clerk slow down: the words of somebody in danger. */
const SENSITIVE = ["自杀", "轻生", "跳楼", "不想活", "杀人", "家暴", "爆炸", "人质", "suicide", "kill myself", "kill him", "kill her", "bomb"];
export const isSensitive = (told: string): boolean => SENSITIVE.some((word) => told.toLowerCase().includes(word));
