// SPDX-License-Identifier: Apache-2.0
// A list of alarms as a file that spreadsheets open: comma-separated, UTF-8 with its mark. Pure but for the download.
import type { Alarm } from "@/alarms/types";

export interface Column { title: string; of: (alarm: Alarm) => string }

/** A cell that begins like a formula is no formula; quotes are doubled. */
function cell(words: string): string {
  const plain = /^[=+\-@\t\r]/.test(words) ? `'${words}` : words;
  return /[",\n\r]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

export function toCsv(rows: readonly Alarm[], columns: readonly Column[]): string {
  const lines = [columns.map((column) => cell(column.title)), ...rows.map((row) => columns.map((column) => cell(column.of(row))))];
  return `\uFEFF${lines.map((line) => line.join(",")).join("\r\n")}\r\n`;
}

export function download(words: string, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([words], { type: "text/csv;charset=utf-8" }));
  link.download = name;
  link.click();
  window.setTimeout(() => { URL.revokeObjectURL(link.href); }, 10_000);
}
