import assert from "node:assert/strict";
import { virtualClock } from "../../core/testing/mod.ts";

Deno.test("virtualClock fires timers in order of time, and settles in between", async () => {
  const clock = virtualClock({ now: 0 });
  const seen: string[] = [];
  clock.after(2_000, () => seen.push(`b at ${clock.now()}`));
  clock.after(1_000, () => {
    seen.push(`a at ${clock.now()}`);
    Promise.resolve().then(() => clock.after(500, () => seen.push(`c at ${clock.now()}`)));
  });
  await clock.advance("1999ms");
  assert.deepEqual(seen, ["a at 1000", "c at 1500"]);
  await clock.advance("1ms");
  assert.deepEqual(seen.slice(2), ["b at 2000"]);
});

Deno.test("virtualClock.next() stops at the next timer, or at the end of what it was given", async () => {
  const clock = virtualClock({ now: 0 });
  const seen: number[] = [];
  for (const ms of [40 * 86_400_000, 60_000]) clock.after(ms, () => seen.push(clock.now()));
  assert.equal(await clock.next("59s"), false);
  assert.deepEqual([clock.now(), seen], [59_000, []]);
  assert.equal(await clock.next("1d"), true);
  assert.deepEqual([clock.now(), seen], [60_000, [60_000]]);
  assert.equal(await clock.next("40d"), true);
  assert.equal(clock.monotonic(), 40 * 86_400_000);
  assert.equal(await clock.next("1d"), false);
  assert.equal(clock.monotonic(), 41 * 86_400_000);
});

Deno.test("virtualClock.jump() moves the wall clock alone, and tells who listens until they stop", () => {
  const clock = virtualClock({ now: 1_000_000 });
  let jumps = 0;
  const stop = clock.onJump(() => jumps++);
  clock.jump(-5_000);
  assert.deepEqual([clock.now(), clock.monotonic(), jumps], [995_000, 0, 1]);
  stop();
  clock.jump(5_000);
  assert.deepEqual([clock.now(), jumps], [1_000_000, 1]);
});

Deno.test("virtualClock.attend() keeps time still while real work is pending, also what follows from it", async () => {
  const clock = virtualClock({ now: 0 });
  const seen: string[] = [];
  const digest = async () => {
    // Another thread does this: no count of turns of the event loop says when it is done.
    for (let round = 0; round < 20; round++) {
      await crypto.subtle.digest("SHA-512", new Uint8Array(100_000));
    }
    seen.push(`digest at ${clock.now()}`);
    clock.after(10, () => seen.push(`after it at ${clock.now()}`));
  };
  clock.after(5, () => void clock.attend(digest()));
  clock.after(50, () => seen.push(`late at ${clock.now()}`));
  await clock.advance(100);
  assert.deepEqual(seen, ["digest at 5", "after it at 15", "late at 50"]);
});

Deno.test("virtualClock goes on without work that takes longer than its patience, or that waits for it", async () => {
  const clock = virtualClock({ now: 0, patience: "20ms" });
  let isOver = false;
  const waiting = clock.attend(new Promise<void>((resolve) => void clock.after(1_000, resolve)));
  clock.attend(new Promise(() => {}));
  waiting.then(() => isOver = true);
  await clock.advance("1s");
  assert.equal(isOver, true);
  await assert.rejects(clock.attend(Promise.reject(new Error("its own"))), /its own/);
  await clock.settle();
});

Deno.test("virtualClock() tells whole milliseconds of wall time, whatever it was advanced by", async () => {
  const clock = virtualClock({ now: 1_000 });
  const seen: number[] = [];
  clock.after(10 / 3, () => seen.push(clock.now()));
  await clock.advance(10);
  assert.deepEqual([...seen, clock.now()], [1_003, 1_010]);
});
