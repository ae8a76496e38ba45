/**
 * Two instances of an integration, and a CRM that is down for a while: `deno run -A examples/integrations/main.ts`.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- It prints what happens.
import { createEngine, silentLogger } from "pawl";
import { memoryStore } from "pawl/adapters/memory";
import { type Crm, crmIntegration, pages } from "./crm.ts";

let isDown = true;
const open = (account: string): Promise<Crm> => {
  console.log(`${account}: open`);
  return Promise.resolve({
    put(_id, { email }) {
      if (isDown) return Promise.reject(new Error("503"));
      console.log(`${account}: ${email}`);
      return Promise.resolve();
    },
    close: () => Promise.resolve(console.log(`${account}: closed`)),
  });
};

const store = memoryStore();
const engine = createEngine({ store, definitions: [pages], logger: silentLogger });
const europe = crmIntegration("europe", { account: "eu-1", open });
const asia = crmIntegration("asia", { account: "as-1", open });
for (const each of [europe, asia]) engine.use(each);
await engine.start();

const [contacts] = europe.definitions;
// Its caller is not as patient as the machine.
const policy = { pauseAfterErrors: 1 };
await engine.trigger(contacts, "ann", { data: { email: "ann@example.com" }, policy });
while ((await engine.get(contacts, "ann"))!.runState !== "paused" || (await engine.list()).items.length < 2) {
  await new Promise((resolve) => setTimeout(resolve, 10));
}
const [page] = (await engine.list({ definition: "pages" })).items;
await engine.await(pages, page!.key);
isDown = false;
await engine.resume(contacts, "ann");
await engine.await(contacts, "ann");

await engine.stop();
await store.close();
