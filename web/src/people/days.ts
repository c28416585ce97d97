// SPDX-License-Identifier: Apache-2.0
// Days and times of form fields are the city's, wherever the browser stands.
import { timezone } from "@/i18n";

const DAY_MS = 86_400_000;
const FIELDS = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" } as const;

/** How far the city's clocks are ahead of UTC at a moment. */
function aheadMs(at: number, zone: string): number {
  const parts = new Intl.DateTimeFormat("en-CA", { ...FIELDS, timeZone: zone }).formatToParts(at);
  const part = (type: string): number => Number(parts.find((one) => one.type === type)?.value);
  return Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second")) - Math.floor(at / 1000) * 1000;
}

/** The moment that a field's `2026-03-01` or `2026-03-01T08:30` means in the city; nothing for an empty or broken one. */
export function momentOf(field: string, zone = timezone.value): string | undefined {
  const plain = Date.parse(`${field.length === 10 ? `${field}T00:00` : field}Z`);
  if (Number.isNaN(plain)) return undefined;
  // Asked twice, so that a day on which clocks change begins by the clocks of its beginning.
  const guess = plain - aheadMs(plain, zone);
  return new Date(plain - aheadMs(guess, zone)).toISOString();
}

/** When a day of the city ends: as the next one begins. */
export function endOf(day: string, zone = timezone.value): string | undefined {
  const plain = Date.parse(`${day}T00:00Z`);
  return Number.isNaN(plain) ? undefined : momentOf(new Date(plain + DAY_MS).toISOString().slice(0, 10), zone);
}

/** The city's day some days after a moment, as a date field takes it. */
export function dayFrom(now: number, days: number, zone = timezone.value): string {
  return new Intl.DateTimeFormat("en-CA", { year: "numeric", month: "2-digit", day: "2-digit", timeZone: zone }).format(now + days * DAY_MS);
}
