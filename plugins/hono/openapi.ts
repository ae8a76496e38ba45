/**
 * The OpenAPI document, made of the schemas that check requests.
 *
 * @module
 */
import { z } from "zod";
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from "zod-openapi";
import { statusOfCode } from "./problem.ts";
import type { Answer, Route } from "./route.ts";
import { problem } from "./schemas.ts";

const problemAnswer = (description: string) => ({
  description,
  content: { "application/problem+json": { schema: problem } },
});

/**
 * @param routes Every route.
 * @param base The path that the API is mounted at.
 * @returns The document: OpenAPI 3.1.
 */
export function documentOf(routes: readonly Route[], base: string): object {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const each of routes) {
    const path = each.path.replace(/:(\w+)/g, "{$1}").replace(/\/\*$/, "/{file}");
    (paths[path] ??= {})[each.method.toLowerCase()] = operationOf(each, path);
  }
  return createDocument({
    openapi: "3.1.1",
    info: { title: "Pawl", version: "0.1.0", description: "A durable workflow engine over HTTP." },
    servers: [{ url: base || "/" }],
    paths: paths as ZodOpenApiPathsObject,
  });
}

function operationOf(each: Route, path: string): ZodOpenApiOperationObject {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  const params = z.object(Object.fromEntries(names.map((name) => [name, z.string()])));
  const answers = Object.entries(each.answers).map(([status, given]) => [status, answerOf(given)]);
  const refused = new Map<number, string[]>();
  for (const code of each.refusals ?? []) {
    const status = statusOfCode[code as keyof typeof statusOfCode];
    refused.set(status, [...refused.get(status) ?? [], code]);
  }
  return {
    operationId: operationIdOf(each),
    summary: each.summary,
    requestParams: {
      ...(names.length > 0 && { path: params }),
      ...(each.query && { query: each.query as z.ZodObject }),
    },
    ...(each.body && { requestBody: { content: { "application/json": { schema: each.body } } } }),
    responses: {
      ...Object.fromEntries(answers),
      ...Object.fromEntries([...refused].map(([status, codes]) => [status, problemAnswer(codes.join(", "))])),
      default: problemAnswer("Any other error"),
    },
  };
}

function operationIdOf({ method, path }: Route): string {
  const words = path.replace(/\/$/, "/index").split(/[/:.\-*]+/).filter((word) => word !== "");
  return [method.toLowerCase(), ...words].map((word, index) =>
    index === 0 ? word : word[0]!.toUpperCase() + word.slice(1)
  )
    .join("");
}

function answerOf({ description, schema, type = "application/json" }: Answer) {
  return schema ? { description, content: { [type]: { schema } } } : { description };
}
