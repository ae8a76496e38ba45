import assert from "node:assert/strict";
import { defaultLimits, type ErrorCode, PawlError } from "../../../mod.ts";
import { problemOf, statusOfCode } from "../../../plugins/hono/problem.ts";
import { stage } from "./stage.ts";
import { routeIds } from "./walk.ts";
import { Validator } from "@seriousme/openapi-schema-validator";

interface Document {
  readonly openapi: string;
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<string, { readonly operationId: string; readonly parameters?: readonly { name: string }[] }>
      >
    >
  >;
}

Deno.test("the OpenAPI document is valid, knows every route, and is found where the API is mounted", async () => {
  const { app, engine } = await stage();
  const document: Document = await (await app.request("/pawl/openapi.json")).json();
  const { valid, errors } = await new Validator().validate(structuredClone(document) as never);
  assert.ok(valid, JSON.stringify(errors));
  assert.equal(document.openapi, "3.1.1");
  assert.deepEqual(document.servers, [{ url: "/pawl" }]);
  const told = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ":$1")}`)
  );
  assert.deepEqual(told.sort(), [...routeIds].sort());
  const ids = Object.values(document.paths).flatMap((operations) =>
    Object.values(operations).map(({ operationId }) => operationId)
  );
  assert.equal(new Set(ids).size, ids.length);
  const names = document.paths["/runs"]!.get!.parameters!.map(({ name }) => name);
  assert.deepEqual(names, [
    "definition",
    "status",
    "runState",
    "key",
    "keyPrefix",
    "createdAfter",
    "createdBefore",
    "order",
    "limit",
    "cursor",
    "include",
  ]);
  await engine.stop({ grace: 0 });
});

Deno.test("docs/http.md tells every route, and the status of every code", async () => {
  const page = await Deno.readTextFile(new URL("../../../docs/http.md", import.meta.url));
  const missing = routeIds.filter((id) => !page.includes(`\`${id}`));
  assert.deepEqual(missing, []);
  const rows = [...page.matchAll(/^\| (\d{3}) +\| (.*?) +\|/gm)];
  const told = Object.fromEntries(
    rows.flatMap(([, status, codes]) =>
      [...codes!.matchAll(/`([A-Z_]+)`/g)].map(([, code]) => [code, Number(status)])
    ),
  );
  assert.deepEqual(
    Object.entries(told).sort(),
    Object.entries(statusOfCode).filter(([, status]) => status !== 500).sort(),
  );
});

Deno.test("an error that is not Pawl's tells the caller nothing of itself", () => {
  assert.doesNotMatch(JSON.stringify(problemOf(new Error("password"))), /password/);
  assert.equal(problemOf("password").code, "INTERNAL");
  const code: ErrorCode = "RUN_STATE";
  assert.equal(problemOf(new PawlError(code, "x")).status, 409);
  assert.ok(defaultLimits.pageMax >= 1_000, "what routes allow as `limit`");
});
