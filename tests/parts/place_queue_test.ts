import assert from "node:assert/strict";
import fc from "fast-check";
import { PlaceQueue } from "../../core/engine/place_queue.ts";

const command = fc.record({
  kind: fc.constantFrom("enter", "enter", "leave", "back", "shift", "drop"),
  at: fc.nat(30),
});

Deno.test("PlaceQueue gives in order of place, whoever left, came back or was dropped before", () => {
  fc.assert(fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
    const queue = new PlaceQueue<string>();
    const model = new Map<number, string>();
    const away: number[] = [];
    const first = () => [...model].sort(([a], [b]) => a - b)[0];
    commands.forEach(({ kind, at }, index) => {
      const place = [...model.keys()][at % Math.max(1, model.size)];
      if (kind === "enter") model.set(queue.enter(`item ${index}`), `item ${index}`);
      else if (kind === "leave") {
        assert.equal(queue.leave(place ?? 1_000), place !== undefined);
        if (place !== undefined && model.delete(place)) away.push(place);
      } else if (kind === "back" && away.length > 0) {
        const back = away.splice(at % away.length, 1)[0]!;
        assert.equal(queue.enter(`back ${index}`, back), back);
        model.set(back, `back ${index}`);
      } else if (kind === "shift") {
        const [taken, item] = first() ?? [];
        assert.equal(queue.shift(), item);
        model.delete(taken!);
      } else if (kind === "drop") {
        const isOver = (item: string) => item.endsWith(String(at % 10));
        queue.drop(isOver);
        for (const [each, item] of model) if (isOver(item)) model.delete(each);
      }
      assert.equal(queue.size, model.size);
      assert.deepEqual([...queue], [...model].sort(([a], [b]) => a - b).map(([, item]) => item));
    });
  }));
});

Deno.test("PlaceQueue keeps nothing of thousands that are gone", () => {
  const queue = new PlaceQueue<number>();
  for (let index = 0; index < 10_000; index++) queue.enter(index);
  for (let index = 0; index < 9_999; index++) assert.equal(queue.shift(), index);
  assert.equal(queue.enter(1, 0), 0);
  assert.deepEqual([...queue], [1, 9_999]);
});
