// deno-lint-ignore-file no-console -- it is a program.
/**
 * Lives through 200 small fleets that run orders, while everything goes wrong that can:
 * `deno run -A examples/simulation/main.ts`.
 *
 * @module
 */
import { simulate } from "pawl/testing";
import { ordersWith } from "./orders.ts";

const report = await simulate(() => {
  const charges = new Map<string, number>();
  const orders = ordersWith({
    charge: (id, cents) => Promise.resolve(charges.set(id, cents) && `receipt for ${id}`),
    ship: () => Promise.resolve(),
  });
  return {
    definitions: [orders],
    asks: [({ engine, pick }) => engine.trigger(orders, pick(["o1", "o2", "o3"]), { data: { cents: 500 } })],
    mustEnd: true,
    async check(engine) {
      const { items } = await engine.list({ definition: "orders", limit: 1_000 });
      if (charges.size !== items.length) throw new Error(`${items.length} orders, ${charges.size} charges`);
    },
  };
}, { seeds: 200 });

console.log(`${report.seeds} lives, and each order was charged once`);
