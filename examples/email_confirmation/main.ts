/**
 * A sign-up with a link in a mail: `deno run -A examples/email_confirmation/main.ts`.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- It prints what happens.
import { createEngine } from "pawl";
import { memoryStore } from "pawl/adapters/memory";
import { confirm, type Mail, signUpMachine } from "./sign_ups.ts";

const mails: Mail[] = [];
const signUps = signUpMachine("a secret", (mail) => Promise.resolve(void mails.push(mail)));
const store = memoryStore();
const engine = createEngine({ store, definitions: [signUps] });
await engine.start();

await engine.trigger(signUps, "ann", { data: { email: "ann@example.com" } });
await engine.await(signUps, "ann", { status: "mailed" });
const link = mails[0]!.link;
console.log(`A mail to ${mails[0]!.to}`);

const click = async (what: string, url: string) => {
  const page = await confirm(engine, signUps, new Request(url));
  console.log(`${what}: ${page.status} ${await page.text()}`);
};
await click("A guess", link.replace(/token=.*/, "token=guessed"));
await click("The link", link);
await click("The link again", link);
await click("A guess too late", link.replace(/token=.*/, "token=guessed"));
const run = await engine.get(signUps, "ann");
console.log(`The run is ${run?.runState} at "${run?.status}"`);

await engine.stop();
await store.close();
