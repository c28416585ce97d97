// SPDX-License-Identifier: Apache-2.0
// Finding by what people type: the word itself, or the first letters of its pinyin. No dictionary: the browser's own
// order of Chinese characters says between which two letters a character lies.

const FIRSTS = "阿八嚓哒妸发旮哈讥咔垃痳拏噢妑七呥扨它穵夕丫帀";
const LETTERS = "abcdefghjklmnopqrstwxyz";
const order = new Intl.Collator("zh-Hans-CN-u-co-pinyin");
const known = new Map<string, string>();

function letterOf(sign: string): string {
  if (!/[\u4e00-\u9fff]/u.test(sign)) return sign.toLowerCase();
  const at = [...FIRSTS].findLastIndex((first) => order.compare(first, sign) <= 0);
  return LETTERS[Math.max(0, at)] ?? "";
}

/** The first letters of the pinyin of each character: 城管局 is cgj. */
export function initials(words: string): string {
  const found = known.get(words) ?? [...words].map(letterOf).join("");
  known.set(words, found);
  return found;
}

/** Whether all that was typed stands in one of the words, as it is or as initials; how well, the smaller the better. */
export function rank(typed: string, words: readonly string[]): number | null {
  const wanted = typed.trim().toLowerCase();
  if (wanted === "") return 0;
  let best: number | null = null;
  for (const word of words) {
    const plain = word.toLowerCase();
    const places = [plain.indexOf(wanted), initials(word).indexOf(wanted)].filter((at) => at >= 0);
    const here = places.length === 0 ? null : Math.min(...places);
    if (here !== null && (best === null || here < best)) best = here;
  }
  return best;
}
