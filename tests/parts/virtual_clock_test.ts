import assert from "node:assert/strict";
import { virtualClock } from "../../core/testing/virtual_clock.ts";

Deno.test("virtualClock() tells whole milliseconds of wall time, whatever it was advanced by", async () => {
  const clock = virtualClock({ now: 1_000 });
  const seen: number[] = [];
  clock.after(10 / 3, () => seen.push(clock.now()));
  await clock.advance(10);
  assert.deepEqual([...seen, clock.now()], [1_003, 1_010]);
});
