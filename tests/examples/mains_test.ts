import assert from "node:assert/strict";

const examples = new URL("../../examples/", import.meta.url);

/** What each example prints, line by line. */
const prints: Readonly<Record<string, readonly string[]>> = {
  getting_started: [
    "A new run",
    "Welcome, ann@example.com!",
    'It is completed at "welcomed", with {"email":"ann@example.com","welcomed":true}',
    '  trigger to "requested"',
    '  move to "checked"',
    '  move to "welcomed"',
  ],
  email_confirmation: [
    "A mail to ann@example.com",
    "A guess: 403 the token is not the one that was mailed",
    "The link: 200 Thank you!",
    "The link again: 200 Thank you!",
    "A guess too late: 410 This link is of no use any more: the run is completed",
    'The run is completed at "confirmed"',
  ],
  hooks: [
    "audit: parcel-1 failed: too heavy",
    "The run is failed, whatever becomes of its mail",
    'parked: hook "mail" after 3 attempts: the mail server is down',
    "mail to ann@example.com: We cannot send your parcel.",
  ],
  schedules: [
    "The schedule is new, and then there",
    "7 days are made up for",
    "It is paused: the shop is closed; next would be 10 nights at 02:00 UTC",
  ],
  connector: [
    'Parked after 6 attempts: Cannot call back run: "orders" has no run for key "nobody\'s"',
    "kettle: paid by bank-1",
    "cup: paid by bank-3",
    "2 runs",
  ],
  locks: [
    "ann has 2000 cents, after 20 bookings in turn",
    "bob has 2000 cents, after 20 bookings in turn",
  ],
  integrations: [
    "eu-1: open",
    "as-1: open",
    "page: europe: 503, attempts left: 0",
    "eu-1: ann@example.com",
    "as-1: closed",
    "eu-1: closed",
  ],
  simulation: ["200 lives, and each order was charged once"],
};

async function run(example: string, ...args: readonly string[]): Promise<readonly string[]> {
  const main = new URL(`${example}/main.ts`, examples).pathname;
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", main, ...args],
    env: { NO_COLOR: "1" },
  });
  const { code, stdout, stderr } = await command.output();
  assert.deepEqual([code, new TextDecoder().decode(stderr)], [0, ""]);
  return new TextDecoder().decode(stdout).trimEnd().split("\n");
}

for (const [example, lines] of Object.entries(prints)) {
  Deno.test(`the example ${example} prints what happens`, async () => {
    const seen = await run(example);
    // Hooks and runs print side by side, in whatever order.
    assert.deepEqual([...seen].sort(), [...lines].sort());
  });
}

Deno.test("the example getting_started finds its run of an earlier time in the same file", async () => {
  const folder = await Deno.makeTempDir();
  try {
    assert.equal((await run("getting_started", `${folder}/pawl.db`))[0], "A new run");
    const again = await run("getting_started", `${folder}/pawl.db`);
    assert.equal(again[0], "The run of an earlier time");
    assert.equal(again.some((line) => line.startsWith("Welcome")), false);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the example order_processor ends each of its orders as it should", async () => {
  const lines = await run("order_processor");
  assert.deepEqual(lines.filter((line) => /^\w+: /.test(line)), [
    'kettle: completed at "delivered" ["sku","cents","payment","invoice","parcel"]',
    'cup: completed at "expired" ["sku","cents","reminders"]',
    'teapot: cancelled at "billed" ["sku","cents"]',
    'gift: completed at "refused" ["sku","cents"]',
  ]);
});

Deno.test("the example payment_expiry takes one payment and lets the other expire", async () => {
  const lines = await run("payment_expiry");
  // By the machine's own clock: how many reminders fit in depends on how busy it is.
  const rest = lines.filter((line) => line !== "Dear bob, please pay");
  assert.equal(rest[0], "ann: paid after 0 reminders");
  assert.equal(rest[1], `bob: expired after ${lines.length - rest.length} reminders`);
  assert.equal(rest.length, 2);
});
