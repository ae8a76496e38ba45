import assert from "node:assert/strict";

const program = `
  import { cron } from "pawl/plugins/cron";
  import { rrule } from "pawl/plugins/rrule";
  const zones = ["UTC", "America/New_York", "Australia/Lord_Howe"];
  const made = zones.flatMap((timeZone) => [
    cron("30 2 * * *", { timeZone }),
    rrule("DTSTART:20260301T023000\\nRRULE:FREQ=DAILY", { timeZone }),
    rrule("DTSTART:20260301T023000\\nRRULE:FREQ=HOURLY;BYHOUR=1,2", { timeZone }),
  ]);
  for (const each of made) {
    let after = Date.UTC(2026, 2, 6);
    for (let i = 0; i < 9; i++) console.log(after = each.next(after));
  }
`;

async function outputIn(zone: string): Promise<string> {
  const root = new URL("../../", import.meta.url);
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--frozen", `--config=${new URL("deno.json", root).pathname}`, program],
    cwd: root,
    env: { TZ: zone, NO_COLOR: "1" },
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test("recurrences are the same in a process of any time zone", async () => {
  const [utc, chisinau] = await Promise.all([outputIn("UTC"), outputIn("Europe/Chisinau")]);
  assert.equal(utc.trim().split("\n").length, 81);
  assert.equal(chisinau, utc);
});
