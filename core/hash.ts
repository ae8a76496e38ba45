/**
 * The two hashes of Pawl. Both are part of the stored format and must never change.
 *
 * @module
 */

/**
 * A 32-bit hash of text: FNV-1a over UTF-16 units with a murmur3 finish, unsigned (a signed one loses shards).
 *
 * @param text Any text.
 * @param seed Distinguishes families of hashes.
 * @returns 0 to 2^32 - 1.
 */
export function hash32(text: string, seed = 0x811c9dc5): number {
  let hash = seed;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * A fingerprint that tells two inputs apart: two 32-bit hashes and the length. Not cryptographic: it guards against
 * mistakes, not against an attacker who may choose both inputs.
 *
 * @param text Any text.
 * @returns ASCII text of up to 28 characters.
 */
export function fingerprint(text: string): string {
  return `${hex(hash32(text))}${hex(hash32(text, 0x9747b28c))}-${text.length.toString(16)}`;
}

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}
