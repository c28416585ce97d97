// SPDX-License-Identifier: Apache-2.0
// What `format` means in a form; the same as the server means by it.

const ID_WEIGHTS = Array.from({ length: 17 }, (_, place) => 2 ** (17 - place) % 11);
const ID_LETTERS = "10X98765432";
const CREDIT_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY";
const MAIL = /^[^\s@<>,;:"()[\]\\]{1,64}@(?:[^\s@.<>,;:"()[\]\\]{1,63}\.)+[^\s@.<>,;:"()[\]\\]{2,63}$/;
const MOBILE = /^(?:\+?86)?1[3-9][0-9]{9}$/;
const PHONE = /^(?:\+?[0-9]{1,3}[ -]?)?(?:0[0-9]{2,3}[ -]?)?[0-9]{5,12}(?:[ -][0-9]{1,6})?$/;
const TIME = /^(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?$/;

function isDay(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

/** GB 11643-1999: ISO 7064 MOD 11-2. */
function isResidentNumber(text: string): boolean {
  const number = text.toUpperCase();
  if (!/^[0-9]{17}[0-9X]$/.test(number) || !isDay(`${number.slice(6, 10)}-${number.slice(10, 12)}-${number.slice(12, 14)}`)) return false;
  const total = ID_WEIGHTS.reduce((sum, weight, place) => sum + Number(number[place]) * weight, 0);
  return number[17] === ID_LETTERS[total % 11];
}

/** GB 32100-2015: ISO 7064 MOD 31-3. */
function isCreditCode(text: string): boolean {
  const places = [...text].map((each) => CREDIT_CHARACTERS.indexOf(each));
  if (places.length !== 18 || places.includes(-1)) return false;
  let weight = 1;
  let total = 0;
  for (const each of places.slice(0, 17)) { total += each * weight; weight = (weight * 3) % 31; }
  return CREDIT_CHARACTERS[(31 - (total % 31)) % 31] === text[17];
}

export const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  date: isDay,
  time: (text) => TIME.test(text),
  email: (text) => MAIL.test(text),
  "phone-cn": (text) => MOBILE.test(text) || PHONE.test(text),
  "mobile-cn": (text) => MOBILE.test(text),
  "id-cn": isResidentNumber,
  "credit-code-cn": isCreditCode,
};
