/**
 * Keys: tuples of text and whole numbers written as ASCII, so that every store orders them alike (JavaScript and
 * IndexedDB compare UTF-16 units, SQLite compares UTF-8 bytes; above ASCII they disagree).
 *
 * Parts are joined by a space. Numbers are 12 hexadecimal digits. In text, characters up to `!` become `!hh` and
 * characters from `~` up become `~hhhhhh`, so text orders by code point and a shorter text before a longer one.
 *
 * @module
 */
import { invariant } from "../invariant.ts";

/** One element of a key. */
export type KeyPart = string | number;

/** Stands between the parts of a key. */
export const separator = " ";
const numberDigits = 12;

/** The largest number a key can hold: 2^48 - 1 (as milliseconds, the year 10889). */
export const keyNumberMax = 2 ** 48 - 1;

/**
 * A number as 12 hexadecimal digits; also how a store stamps a version onto a key.
 *
 * @param value A whole number from 0 to 2^48 - 1.
 * @returns Digits that order as the number does.
 */
export function stamp(value: number): string {
  // The message is built only on failure: this runs for every key written.
  if (!(Number.isInteger(value) && value >= 0 && value <= keyNumberMax)) {
    invariant(false, `key number ${value}`);
  }
  return value.toString(16).padStart(numberDigits, "0");
}

/** Reads what {@linkcode stamp} wrote. */
export function readStamp(text: string): number {
  const value = parseInt(text, 16);
  invariant(text.length === numberDigits && value >= 0, `key stamp "${text}"`);
  return value;
}

/**
 * Text as ASCII of the same order.
 *
 * @param text Any text, lone surrogates included.
 * @returns Printable ASCII without spaces.
 */
export function escapeText(text: string): string {
  if (/^["-}]*$/.test(text)) return text;
  let escaped = "";
  for (const char of text) {
    const point = char.codePointAt(0)!;
    if (point <= 0x21) escaped += "!" + point.toString(16).padStart(2, "0");
    else if (point >= 0x7e) escaped += "~" + point.toString(16).padStart(6, "0");
    else escaped += char;
  }
  return escaped;
}

/** Reads what {@linkcode escapeText} wrote. */
export function unescapeText(escaped: string): string {
  return escaped.replace(
    /!([0-9a-f]{2})|~([0-9a-f]{6})/g,
    (_, low: string | undefined, high: string | undefined) =>
      String.fromCodePoint(parseInt(low ?? high!, 16)),
  );
}

/**
 * Encodes a tuple.
 *
 * @param parts Its elements, from the most to the least significant.
 * @returns The key.
 */
export function encodeKey(...parts: readonly KeyPart[]): string {
  let key = encodePart(parts[0]!);
  for (let index = 1; index < parts.length; index++) key += separator + encodePart(parts[index]!);
  return key;
}

/**
 * Encodes a tuple that continues another.
 *
 * @param front The other, encoded.
 * @param parts What follows.
 * @returns The key.
 */
export function encodeUnder(front: string, parts: readonly KeyPart[]): string {
  let key = front;
  for (let index = 0; index < parts.length; index++) key += separator + encodePart(parts[index]!);
  return key;
}

function encodePart(part: KeyPart): string {
  return typeof part === "number" ? stamp(part) : escapeText(part);
}

/** The front of every key that continues this tuple; also what a stamped put is given. */
export function prefixKey(...parts: readonly KeyPart[]): string {
  return encodeKey(...parts) + separator;
}

/** The range of all keys that continue a tuple. */
export function rangeOf(...parts: readonly KeyPart[]): { readonly start: string; readonly end: string } {
  const front = encodeKey(...parts);
  // "!" follows the separator and is the lowest character of any text.
  return { start: front + separator, end: front + "!" };
}

/** The elements of a key, still escaped. */
export function splitKey(key: string): readonly string[] {
  return key.split(separator);
}

/** The first key after this one in key order. */
export function keyAfter(key: string): string {
  return key + " ";
}
