import assert from "node:assert/strict";
import { confirm, type Mail, signUpMachine } from "../../examples/email_confirmation/sign_ups.ts";
import { testEngine } from "../../core/testing/mod.ts";
import { silentLogger } from "../../mod.ts";

Deno.test("a sign-up is confirmed once, however often its link is opened", async () => {
  const mails: Mail[] = [];
  const signUps = signUpMachine("s", (mail) => Promise.resolve(void mails.push(mail)));
  await using t = await testEngine({ definitions: [signUps] });
  const { runId } = await t.engine.trigger(signUps, "ann", { data: { email: "ann@x.org" } });
  await t.awaitStatus(signUps, "ann", "mailed");
  const click = () => confirm(t.engine, signUps, new Request(mails[0]!.link));
  const pages = await Promise.all([click(), click(), click()]);
  assert.deepEqual(pages.map(({ status }) => status), [200, 200, 200]);
  const kinds = (await t.engine.history({ runId })).map(({ kind, to }) => `${kind} ${to}`);
  assert.deepEqual(kinds, ["trigger requested", "move mailed", "move confirmed"]);
  await t.requireData(signUps, "ann", { email: "ann@x.org" }, { status: "confirmed" });
});

Deno.test("a sign-up takes no wrong, foreign or late link", async () => {
  const mails: Mail[] = [];
  const signUps = signUpMachine("s", (mail) => Promise.resolve(void mails.push(mail)));
  await using t = await testEngine({ definitions: [signUps] });
  const { runId } = await t.engine.trigger(signUps, "ann", { data: { email: "ann@x.org" } });
  await t.awaitStatus(signUps, "ann", "mailed");
  const open = async (change: Record<string, string>) => {
    const url = new URL(mails[0]!.link);
    for (const [name, value] of Object.entries(change)) url.searchParams.set(name, value);
    return (await confirm(t.engine, signUps, new Request(url))).status;
  };
  assert.equal(await open({ token: "guessed" }), 403);
  assert.equal(await open({ key: "bob" }), 404);
  assert.equal(await open({ run: "x" }), 404);
  assert.deepEqual((await t.engine.history({ runId })).length, 2);
  await t.awaitStatus(signUps, "ann", "forgotten");
  assert.equal(await open({}), 410);
});

Deno.test("a mail that is sent again has the same link, and one that is faster than its step is put off", async () => {
  const links = new Set<string>();
  let early = 0;
  const signUps = signUpMachine("s", async ({ link }) => {
    links.add(link);
    early = (await confirm(t.engine, signUps, new Request(link))).status;
    if (early === 503 && sent++ === 0) throw new Error("was it sent?");
  });
  let sent = 0;
  await using t = await testEngine({ definitions: [signUps], logger: silentLogger });
  await t.engine.trigger(signUps, "ann", { data: { email: "ann@x.org" } });
  await t.awaitStatus(signUps, "ann", "mailed");
  assert.deepEqual([links.size, sent, early], [1, 2, 503]);
});
