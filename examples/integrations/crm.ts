/**
 * An integration: contacts go to a CRM, whose connection it opens and closes; whoever is on duty is paged before the CRM
 * is given up.
 *
 * @module
 */
import { integration, machine } from "pawl";

/** What a run carries. */
export interface Contact {
  readonly email: string;
}

/** The CRM. */
export interface Crm {
  /** Takes a contact; the same `id` twice is one contact. */
  put(id: string, contact: Contact): Promise<void>;
  /** Ends the connection. */
  close(): Promise<void>;
}

/** Settings of an instance. */
export interface CrmConfig {
  /** Which of the customer's accounts it is. */
  readonly account: string;
  /** Opens the connection. */
  open(account: string): Promise<Crm>;
}

/** Pages whoever is on duty; not of the integration, so that a page which fails causes no other page. */
export const pages = machine<{ text: string }>("pages")
  .step("new", ["sent"], (run) => {
    // deno-lint-ignore no-console -- It stands for a pager.
    console.log(`page: ${run.data.text}`);
    return "sent";
  })
  .build();

/**
 * Makes an instance.
 *
 * @param name Names the instance and its machine.
 * @param config Its settings.
 * @returns The integration, with one machine.
 */
export function crmIntegration(name: string, config: CrmConfig) {
  let crm: Crm | undefined;
  return integration({
    name,
    config,
    definitions: ({ name }) => [
      machine<Contact>(`${name}.contacts`)
        .step("new", ["known"], async (run) => {
          await crm!.put(run.stepId, run.data);
          return "known";
        }, { pauseAfterErrors: 5, retry: { initial: "100ms" } })
        .build(),
    ],
    async init({ config }) {
      crm = await config.open(config.account);
    },
    close: () => crm?.close(),
    async onActivityError({ id, error, attemptsLeft, isNearLimit }, { engine }) {
      if (!isNearLimit()) return;
      const text = `${name}: ${error.message}, attempts left: ${attemptsLeft}`;
      await engine.trigger(pages, id, { data: { text }, idempotencyKey: id });
    },
    allowPolicyOverride: ["pauseAfterErrors"],
  });
}
