// SPDX-License-Identifier: Apache-2.0
// Finds entries by words: all words must occur; a match at the beginning is better than one inside.

export interface Findable { label: string; hint: string; key: string }

function score(entry: Findable, words: readonly string[]): number {
  const label = entry.label.toLowerCase();
  const rest = `${entry.hint} ${entry.key}`.toLowerCase();
  let sum = 0;
  for (const word of words) {
    const at = label.indexOf(word);
    if (at === 0) sum += 4;
    else if (at > 0) sum += 2;
    else if (rest.includes(word)) sum += 1;
    else return 0;
  }
  return sum;
}

export function ranked<Entry extends Findable>(entries: readonly Entry[], asked: string, most: number): Entry[] {
  const words = asked.toLowerCase().split(/\s+/).filter((word) => word !== "");
  if (words.length === 0) return entries.slice(0, most);
  return entries.map((entry, i) => ({ entry, i, score: score(entry, words) })).filter((one) => one.score > 0)
    .sort((a, b) => b.score - a.score || a.i - b.i).slice(0, most).map((one) => one.entry);
}
