import assert from "node:assert/strict";
import fc from "fast-check";
import { DueHeap } from "../../core/engine/due_heap.ts";
import { Fifo } from "../../core/engine/fifo.ts";

const id = fc.constantFrom("a", "b", "c", "d", "e");
const due = fc.integer({ min: 0, max: 20 });
const command = fc.oneof(
  fc.record({ kind: fc.constant("set" as const), id, due }),
  fc.record({ kind: fc.constant("delete" as const), id }),
  fc.record({ kind: fc.constant("take" as const), now: due }),
);

Deno.test("DueHeap hands out what a sorted map would, whatever was set, moved and deleted before", () => {
  fc.assert(fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
    const heap = new DueHeap();
    const model = new Map<string, number>();
    const earliest = () => model.size === 0 ? undefined : Math.min(...model.values());
    for (const each of commands) {
      if (each.kind === "set") {
        heap.set(each.id, each.due);
        model.set(each.id, each.due);
      } else if (each.kind === "delete") {
        heap.delete(each.id);
        model.delete(each.id);
      } else {
        const first = earliest();
        const taken = heap.take(each.now);
        if (first === undefined || first > each.now) assert.equal(taken, undefined);
        else {
          assert.equal(model.get(taken!), first);
          model.delete(taken!);
        }
      }
      assert.equal(heap.size, model.size);
      assert.equal(heap.peek(), earliest());
    }
  }));
});

Deno.test("DueHeap gives 10,000 runs back in order of their due times", () => {
  const heap = new DueHeap();
  for (let index = 0; index < 10_000; index++) heap.set(`run-${index}`, (index * 7_919) % 10_007);
  let last = -1;
  for (let count = 0; count < 10_000; count++) {
    const at = heap.peek()!;
    assert.ok(at >= last);
    last = at;
    assert.ok(heap.take(at));
  }
  assert.equal(heap.take(Infinity), undefined);
});

Deno.test("Fifo hands out what an array would", () => {
  fc.assert(fc.property(fc.array(fc.option(fc.nat()), { maxLength: 5_000, size: "max" }), (commands) => {
    const fifo = new Fifo<number>();
    const model: number[] = [];
    for (const each of commands) {
      if (each === null) assert.equal(fifo.shift(), model.shift());
      else {
        fifo.push(each);
        model.push(each);
      }
      assert.equal(fifo.size, model.length);
    }
  }));
});

Deno.test("Fifo keeps its order while its front is cut off", () => {
  const fifo = new Fifo<number>();
  for (let next = 0, taken = 0; taken < 10_000; taken++) {
    while (next < taken + 1_500) fifo.push(next++);
    assert.equal(fifo.shift(), taken);
  }
});
