/**
 * A sign-up that waits for a click on a link: a step sends the link, a callback takes the click.
 *
 * @module
 */
import { type Engine, machine, PawlError } from "pawl";

/** What a run carries. */
export interface SignUp {
  readonly email: string;
  token?: string;
}

/** A mail with a link. `id` is the same whenever the same mail is sent again. */
export interface Mail {
  readonly id: string;
  readonly to: string;
  readonly link: string;
}

/** What a click brings along. */
export interface Click {
  readonly token: string;
}

/** The machine that {@linkcode signUpMachine} makes. */
export type SignUps = ReturnType<typeof signUpMachine>;

/** Somebody has guessed. */
class WrongTokenError extends Error {}

/**
 * Makes the machine.
 *
 * @param secret Signs the links.
 * @param send Sends a mail.
 * @returns The machine.
 */
export function signUpMachine(secret: string, send: (mail: Mail) => Promise<void>) {
  return machine<SignUp>("sign-ups")
    .step("requested", ["mailed"], async (run) => {
      // Made of the run, not of chance: an attempt that is repeated sends the same link.
      run.data.token = await sign(secret, run.runId);
      const query = new URLSearchParams({ key: run.key, run: run.runId, token: run.data.token });
      await send({ id: run.stepId, to: run.data.email, link: `https://example.com/confirm?${query}` });
      return "mailed";
    })
    .callback("mailed", ["confirmed"], (run, { token }: Click) => {
      // It reaches whoever called back, and nothing is written.
      if (token !== run.data.token) throw new WrongTokenError("the token is not the one that was mailed");
      delete run.data.token;
      return "confirmed";
    })
    .timeout("mailed", ["forgotten"], { after: "3d" }, () => "forgotten")
    .build();
}

/**
 * The page behind the link. It may be opened any number of times, also at once, on any server.
 *
 * @param engine Any engine that carries the machine; it need not work.
 * @param signUps The machine.
 * @param request The click.
 * @returns The page.
 */
export async function confirm(engine: Engine, signUps: SignUps, request: Request): Promise<Response> {
  const query = new URL(request.url).searchParams;
  const [key, runId, token] = ["key", "run", "token"].map((name) => query.get(name) ?? "");
  try {
    const options = { runId: runId!, idempotencyKey: token! };
    const result = await engine.callback(signUps, key!, "mailed", { token: token! }, options);
    if (result.applied) return new Response("Thank you!");
    // The mail was faster than the commit of the step that sent it.
    if (result.status === "requested") return new Response("One moment, please", { status: 503 });
    return new Response(`This link is of no use any more: ${result.reason}`, { status: 410 });
  } catch (error) {
    if (error instanceof WrongTokenError) return new Response(error.message, { status: 403 });
    if (isUnknown(error)) return new Response("no such link", { status: 404 });
    throw error; // The click is not lost: the browser is told to try again, with the same idempotency key.
  }
}

function isUnknown(error: unknown): boolean {
  return error instanceof PawlError && ["RUN_NOT_FOUND", "INVALID_ARGUMENT"].includes(error.code);
}

async function sign(secret: string, text: string): Promise<string> {
  const bytes = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", bytes.encode(secret), algorithm, false, ["sign"]);
  const signature = await crypto.subtle.sign("HMAC", key, bytes.encode(text));
  return [...new Uint8Array(signature)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
