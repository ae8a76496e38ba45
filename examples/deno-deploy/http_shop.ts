import type { Shop } from "./orders.ts";

/**
 * A shop whose services are elsewhere.
 *
 * @param url Where.
 * @returns It. What is not answered with 2xx is tried again by the engine, under the same id.
 */
export function httpShop(url: string): Shop {
  const ask = async (path: string, id: string, body: unknown) => {
    const response = await fetch(`${url}/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": id },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(10_000),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`The shop answers ${response.status}: ${text}`);
    return text;
  };
  return {
    charge: async (id, key, cents) => await ask("charges", id, { key, cents }) !== "declined",
    refund: async (id, key) => void await ask("refunds", id, { key }),
    mail: async (id, key, text) => void await ask("mails", id, { key, text }),
  };
}

/** A shop that only tells what it would do, in the log. */
export const paperShop: Shop = {
  charge(id, key, cents) {
    // deno-lint-ignore no-console -- It is all that it does
    console.log(`${id}: charge ${cents} for ${key}`);
    return Promise.resolve(true);
  },
  refund(id, key) {
    // deno-lint-ignore no-console -- It is all that it does
    return Promise.resolve(console.log(`${id}: refund ${key}`));
  },
  mail(id, _key, text) {
    // deno-lint-ignore no-console -- It is all that it does
    return Promise.resolve(console.log(`${id}: ${text}`));
  },
};
