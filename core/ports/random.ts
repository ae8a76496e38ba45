/** Chance and identity as a port, so that a simulated engine repeats itself. */
export interface Random {
  /** A number from 0 up to, not including, 1. */
  float(): number;
  /** That many random hexadecimal digits. */
  hex(digits: number): string;
}

/**
 * The machine's own source of chance.
 *
 * @returns Jitter from `Math.random`, identities from `crypto`.
 */
export function systemRandom(): Random {
  const bytes = new Uint8Array(1_024);
  let pool = "";
  let used = 0;
  return {
    float: () => Math.random(),
    hex(digits) {
      let text = "";
      while (text.length < digits) {
        if (used === pool.length) {
          // One call for many ids: getRandomValues costs a microsecond or more per call.
          pool = Array.from(crypto.getRandomValues(bytes), (byte) => byte.toString(16).padStart(2, "0")).join(
            "",
          );
          used = 0;
        }
        const part = pool.slice(used, used + digits - text.length);
        used += part.length;
        text += part;
      }
      return text;
    },
  };
}

/**
 * A repeatable source of chance (mulberry32).
 *
 * @param seed Any integer: one seed, one sequence.
 * @returns A random source for tests and simulations; not for secrets.
 */
export function seededRandom(seed: number): Random {
  let state = seed | 0;
  const float = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    float,
    hex(digits) {
      let text = "";
      while (text.length < digits) text += Math.floor(float() * 16).toString(16);
      return text;
    },
  };
}
