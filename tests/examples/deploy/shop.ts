/**
 * The shop as a service of its own, and what it was asked for: what isolates did to the outside world, whatever became of them.
 *
 * @module
 */

/** One request that it took. */
export interface Deed {
  readonly what: "charges" | "refunds" | "mails";
  /** The idempotency key. */
  readonly id: string;
  /** The order. */
  readonly key: string;
  readonly text?: string;
}

/** A shop that answers over HTTP. */
export interface ShopServer {
  readonly url: string;
  readonly deeds: readonly Deed[];
  close(): Promise<void>;
}

/** More than anybody has. */
export const tooMuch = 100_000;

/**
 * Opens it.
 *
 * @param float Draws whether it is out of order: then it has done what it was asked for, or not.
 * @param gate Waited for before an order's request is answered.
 * @returns It.
 */
export function openShop(
  float: () => number = () => 1,
  gate: (key: string) => Promise<void> = () => Promise.resolve(),
): ShopServer {
  const deeds: Deed[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const body = await request.json();
    const mood = float();
    if (mood < 0.05) return new Response("closed for lunch", { status: 503 });
    const what = new URL(request.url).pathname.slice(1) as Deed["what"];
    deeds.push({ what, id: request.headers.get("idempotency-key")!, ...body });
    await gate(body.key);
    if (mood < 0.1) return new Response("fell asleep over it", { status: 503 });
    return new Response(body.cents > tooMuch ? "declined" : "done");
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    deeds,
    async close() {
      await server.shutdown();
    },
  };
}
