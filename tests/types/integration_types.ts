/**
 * What the compiler must allow and must refuse of integrations, checked by `deno check`: a line under `@ts-expect-error`
 * that compiles is an error itself. Nothing here runs.
 */
import { createEngine, integration, machine, secret } from "../../mod.ts";
import { memoryStore } from "../../adapters/memory/mod.ts";

interface MailerConfig {
  readonly from: string;
  readonly retries?: number;
}

const mailer = (name: string, config: MailerConfig) =>
  integration({
    name,
    config,
    definitions: ({ name, config }) => [
      machine<{ to: string }>(`${name}.letters`).step(
        "written",
        ["sent"],
        () => config.from ? "sent" : "sent",
      ).build(),
      machine(`${name}.pings`).step("a", ["b"], () => "b").build(),
    ],
    init({ config, engine, signal }) {
      config.from.toUpperCase();
      signal.throwIfAborted();
      return engine.list();
    },
    isReady: ({ config }) => config.retries !== 0,
    onActivityError: ({ attempt, attemptsLeft, error, isNearLimit }, { engine, config }) =>
      isNearLimit(0.5) && attempt < attemptsLeft && engine.get({ ...pings }, `${error.code} ${config.from}`),
    onWorkflowError({ outcome }) {
      // @ts-expect-error: no such outcome
      return outcome === "cancelled";
    },
    allowPolicyOverride: ["timeout", "retry"],
  });

const pings = machine("pings").step("a", ["b"], () => "b").build();
const [letters, ticks] = mailer("a", { from: "a@example.com" }).definitions;

export async function integrations() {
  const engine = createEngine({ store: memoryStore(), definitions: [] });
  const used = engine.use(mailer("a", { from: "a@example.com" }));
  engine.use(integration({ name: "empty" }));
  engine.use(integration({ name: "list", definitions: [pings] }));
  await used.isReady() satisfies boolean;
  await engine.trigger(ticks, "k");
  await engine.trigger(letters, "k", { data: { to: "ann" }, policy: { timeout: "1s" } });
  await engine.trigger(letters, "k", {
    data: { to: "ann" },
    policy: { at: { written: { retry: { max: 1 } } } },
  });
  // @ts-expect-error: no such status
  await engine.trigger(letters, "k", { data: { to: "ann" }, policy: { at: { writen: { timeout: 1 } } } });
  // @ts-expect-error: callers have no say in that
  await engine.trigger(letters, "k", { data: { to: "ann" }, policy: { concurrency: 1 } });
  // @ts-expect-error: data is of the machine's type
  await engine.trigger(letters, "k", { data: { to: 1 } });
  // @ts-expect-error: a machine is no integration
  engine.use(pings);
  // @ts-expect-error: it wants a name
  integration({ config: {} });
  // @ts-expect-error: no option that may be overridden
  integration({ name: "i", allowPolicyOverride: ["lag"] });
  // @ts-expect-error: it was not built
  integration({ name: "i", definitions: [machine("m").step("a", ["b"], () => "b")] });
  const hidden = integration({ name: "i", config: { key: secret("k"), limit: secret(3) } });
  hidden.config.limit.reveal() satisfies number;
  // @ts-expect-error: a secret is no text
  hidden.config.key satisfies string;
}
