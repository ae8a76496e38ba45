/**
 * Webhooks: a URL with which somebody outside answers one run that waits at one status. The URL is all that is needed to
 * answer, so it is sealed: it cannot be guessed, changed, or read. A sender may have to sign as well, as
 * https://www.standardwebhooks.com has it.
 *
 * @module
 */
import { type Clock, type Duration, durationMs, PawlError, systemClock } from "pawl";
import { open, seal, sealingKey } from "./seal.ts";
import { checkSignature, signingKeys } from "./signature.ts";

/** Options of {@linkcode createWebhooks}. */
export interface WebhooksOptions {
  /** Where the world finds the API, such as `https://example.org/pawl`. */
  readonly url: string;
  /** What seals URLs, 32 characters of chance or more each: the first seals, all open, so put a new one first. */
  readonly secrets: readonly string[];
  /** Senders that sign, by a name of yours, with the secrets of each (`whsec_...`): any of them counts. */
  readonly senders?: Readonly<Record<string, readonly string[]>>;
  /** How far the time of a signature may be off; default 5 minutes. */
  readonly tolerance?: Duration;
  /** Where time comes from; default: the system. */
  readonly clock?: Clock;
}

/** Which run is to be answered, and where it waits. */
export interface WebhookTarget {
  /** Name of its definition. */
  readonly definition: string;
  /** Its key. */
  readonly key: string;
  /** The run. */
  readonly runId: string;
  /** The status whose callbacks are called. */
  readonly status: string;
}

/** Options of a URL. */
export interface WebhookUrlOptions {
  /** How long it may be used; default 7 days. */
  readonly expiresIn?: Duration;
  /** Whether it is used up by the first answer that the run takes; default `false`. */
  readonly once?: boolean;
  /** What URLs that may be used once share, such as `run.stepId`, as a step may run twice; default: chance. */
  readonly id?: string;
  /** Who must sign: a name of `senders`; default: nobody needs to. */
  readonly sender?: string;
}

/** Makes URLs, and knows them again. */
export interface Webhooks {
  /**
   * Makes a URL for one run.
   *
   * @param target The run.
   * @param options For how long, how often, by whom.
   * @returns A URL that takes `POST` with the payload as JSON.
   * @throws {PawlError} `INVALID_ARGUMENT`.
   */
  url(target: WebhookTarget, options?: WebhookUrlOptions): Promise<string>;
  /**
   * Reads a request; for the API only.
   *
   * @param token From a URL.
   * @param headers Of the request.
   * @param body As it came.
   * @returns What is to be called, and what makes that safe to repeat.
   * @throws {PawlError} `WEBHOOK_REFUSED`, `WEBHOOK_EXPIRED`.
   */
  read(
    token: string,
    headers: Headers,
    body: Uint8Array<ArrayBuffer>,
  ): Promise<{ readonly target: WebhookTarget; readonly idempotencyKey?: string; readonly isOnce: boolean }>;
}

/** What a token holds. */
interface Token extends WebhookTarget {
  readonly id: string;
  readonly expiresAt: number;
  readonly once: boolean;
  readonly sender?: string;
}

const secretLengthMin = 32;

/**
 * Makes webhooks. Give them to the API, and to steps that need a URL.
 *
 * @param options Where the API is, and secrets.
 * @returns The webhooks.
 * @throws {PawlError} `INVALID_ARGUMENT`, `INVALID_DURATION`.
 *
 * @example
 * ```ts
 * import { createEngine, machine } from "pawl";
 * import { memoryStore } from "pawl/adapters/memory";
 * import { createWebhooks, httpApi } from "pawl/plugins/hono";
 * import assert from "node:assert/strict";
 * const webhooks = createWebhooks({ url: "http://api", secrets: ["a secret of thirty-two characters"] });
 * const sent: string[] = [];
 * const order = machine<{ paid?: number }>("order")
 *   .step("placed", ["unpaid"], async ({ key, runId, stepId }) => {
 *     const target = { definition: "order", key, runId, status: "unpaid" };
 *     sent.push(await webhooks.url(target, { expiresIn: "1d", once: true, id: stepId }));
 *     return "unpaid";
 *   })
 *   .callback("unpaid", ["done"], (run, payment: { amount: number }) => {
 *     run.data.paid = payment.amount;
 *     return "done";
 *   })
 *   .build();
 * const engine = createEngine({ store: memoryStore(), definitions: [order] });
 * await engine.start();
 * const api = httpApi(engine, { webhooks });
 * await engine.trigger(order, "o-1", { data: {} });
 * await engine.await(order, "o-1", { status: "unpaid" });
 * const headers = { "content-type": "application/json" };
 * const answer = await api.request(sent[0]!, { method: "POST", headers, body: '{"amount":12}' });
 * assert.equal(answer.status, 200);
 * assert.equal((await engine.get(order, "o-1"))?.data.paid, 12);
 * await engine.stop();
 * ```
 */
export function createWebhooks(options: WebhooksOptions): Webhooks {
  const { secrets, senders = {}, clock = systemClock() } = options;
  const base = options.url.replace(/\/+$/, "");
  if (!URL.canParse(base)) throw refused(`url is ${JSON.stringify(options.url)}, want a URL`);
  if (secrets.length === 0 || secrets.some((each) => each.length < secretLengthMin)) {
    throw refused(`want one secret or more, of ${secretLengthMin} characters or more each`);
  }
  const toleranceMs = durationMs(options.tolerance ?? "5m", "tolerance");
  let made: Promise<readonly CryptoKey[]> | undefined;
  const sealing = () => made ??= Promise.all(secrets.map((secret) => sealingKey(secret)));
  const signing = new Map(Object.entries(senders).map(([name, each]) => [name, signingKeys(name, each)]));
  return {
    async url(target, { expiresIn = "7d", once = false, id, sender } = {}) {
      if (sender !== undefined && !signing.has(sender)) throw refused(`"${sender}" is none of \`senders\``);
      const token: Token = {
        definition: target.definition,
        key: target.key,
        runId: target.runId,
        status: target.status,
        id: id ?? crypto.randomUUID(),
        expiresAt: clock.now() + durationMs(expiresIn, "expiresIn"),
        once,
        ...(sender !== undefined && { sender }),
      };
      return `${base}/webhooks/${await seal((await sealing())[0]!, JSON.stringify(token))}`;
    },
    async read(text, headers, body) {
      const opened = await open(await sealing(), text);
      if (opened === undefined) {
        throw new PawlError("WEBHOOK_REFUSED", "Cannot take webhook: the URL is none of ours");
      }
      const { id, expiresAt, once, sender, ...target } = JSON.parse(opened) as Token;
      if (clock.now() >= expiresAt) {
        throw new PawlError("WEBHOOK_EXPIRED", "Cannot take webhook: its time is over");
      }
      const keys = sender === undefined ? undefined : await signing.get(sender)?.() ?? [];
      const message = keys && await checkSignature(keys, headers, body, clock.now(), toleranceMs);
      const idempotencyKey = once
        ? `webhook once ${await digest(id)}`
        : message && `webhook ${await digest(message)}`;
      return { target, isOnce: once, ...(idempotencyKey !== undefined && { idempotencyKey }) };
    },
  };
}

/** Names of any length, as long as an idempotency key may be. */
async function digest(text: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function refused(why: string): PawlError {
  return new PawlError("INVALID_ARGUMENT", `Cannot make webhooks: ${why}`);
}
