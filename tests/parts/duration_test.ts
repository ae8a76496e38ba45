import assert from "node:assert/strict";
import fc from "fast-check";
import { durationMs } from "../../core/duration.ts";

Deno.test("durationMs() reads numbers and every unit", () => {
  const cases: readonly (readonly [string | number, number])[] = [
    [0, 0],
    [1_500, 1_500],
    [1.4, 1],
    ["0ms", 0],
    ["250ms", 250],
    ["5s", 5_000],
    ["1.5s", 1_500],
    ["90m", 5_400_000],
    ["1h30m", 5_400_000],
    ["3d", 259_200_000],
    ["2w", 1_209_600_000],
    ["1h1h", 7_200_000],
  ];
  for (const [text, ms] of cases) assert.equal(durationMs(text), ms, String(text));
});

Deno.test("durationMs() refuses what is no duration, with INVALID_DURATION and the option's name", () => {
  const bad = [
    "",
    " ",
    "5",
    "s",
    "5 s",
    "-5s",
    "5x",
    "1e3ms",
    "5s ",
    "Infinityms",
    "101w1000000h",
    -1,
    NaN,
    Infinity,
  ];
  for (const value of [...bad, null, undefined, {}, [], true] as never[]) {
    assert.throws(() => durationMs(value, "retry.max"), { code: "INVALID_DURATION", message: /retry\.max/ });
  }
});

Deno.test("durationMs() is the sum of its pieces, whole and in range", () => {
  const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
  const piece = fc.tuple(fc.nat(1_000), fc.constantFrom(...Object.keys(units) as (keyof typeof units)[]));
  fc.assert(fc.property(fc.array(piece, { minLength: 1, maxLength: 6 }), (pieces) => {
    const text = pieces.map(([amount, unit]) => `${amount}${unit}`).join("");
    const sum = pieces.reduce((total, [amount, unit]) => total + amount * units[unit], 0);
    assert.equal(durationMs(text), sum);
  }));
});

Deno.test("durationMs() of any text is a whole number of milliseconds or INVALID_DURATION", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.double()), (value) => {
    try {
      const ms = durationMs(value);
      assert.ok(Number.isInteger(ms) && ms >= 0);
    } catch (error) {
      assert.equal((error as { code?: string }).code, "INVALID_DURATION");
    }
  }));
});
