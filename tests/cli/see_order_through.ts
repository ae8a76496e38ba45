import assert from "node:assert/strict";

/**
 * Asks the starter for Deno Deploy for an order, ships it, and looks at the dashboard.
 *
 * @param origin Where it listens.
 * @param key Of the order.
 */
export async function seeOrderThrough(origin: string, key = "o-1"): Promise<void> {
  const headers = { authorization: "Bearer only-on-this-machine", "content-type": "application/json" };
  const ask = async (path: string, body?: unknown) => {
    const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
    const response = await fetch(`${origin}${path}`, { headers, ...init });
    const text = await response.text();
    assert.ok(response.ok, `${path}: ${response.status} ${text}`);
    return text;
  };
  const run = `/pawl/runs/orders/${key}`;
  await ask(run, { data: { cents: 4_200 } });
  assert.match(await ask(`${run}/await?status=charged`), /receipt for 4200 cents/);
  await ask(`${run}/callback/charged`, { payload: { tracking: "parcel-1" } });
  assert.match(await ask(run), /"status":"shipped"/);
  assert.match(await ask("/"), /<!doctype html>/i);
  const refused = await fetch(`${origin}/pawl/runs`);
  await refused.body?.cancel();
  assert.equal(refused.status, 401);
}
