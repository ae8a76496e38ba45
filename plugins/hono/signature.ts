/**
 * Signatures of Standard Webhooks: HMAC-SHA256 of the message's id, its time and its body.
 *
 * @module
 */
import { PawlError } from "pawl";

/** Signatures of one request that are looked at: a sender that changes its secret sends two. */
const signaturesMax = 10;

/**
 * @param sender Whose they are, for the message.
 * @param secrets As the sender shows them: base64, mostly after `whsec_`.
 * @returns Makes keys that check signatures, once.
 * @throws {PawlError} `INVALID_ARGUMENT`.
 */
export function signingKeys(sender: string, secrets: readonly string[]): () => Promise<readonly CryptoKey[]> {
  const all = secrets.map((secret) => {
    const bytes = decoded(secret.replace(/^whsec_/, ""));
    if (!bytes || bytes.byteLength < 16) {
      throw new PawlError(
        "INVALID_ARGUMENT",
        `Cannot make webhooks: a secret of "${sender}" is no base64 of 16 bytes or more`,
      );
    }
    return bytes;
  });
  const keyOf = (bytes: Uint8Array<ArrayBuffer>) =>
    crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
  let made: Promise<readonly CryptoKey[]> | undefined;
  return () => made ??= Promise.all(all.map(keyOf));
}

/**
 * Checks who sent a request, and when.
 *
 * @param keys Of the sender that it must be.
 * @param headers Of the request.
 * @param body As it came.
 * @param now Milliseconds since 1970.
 * @param toleranceMs How far the sender's time may be off.
 * @returns The message's id: the sender gives the same to each repetition of it.
 * @throws {PawlError} `WEBHOOK_REFUSED`.
 */
export async function checkSignature(
  keys: readonly CryptoKey[],
  headers: Headers,
  body: Uint8Array<ArrayBuffer>,
  now: number,
  toleranceMs: number,
): Promise<string> {
  const id = headers.get("webhook-id");
  const timestamp = headers.get("webhook-timestamp");
  const given = headers.get("webhook-signature");
  if (!id || !timestamp || !given) {
    throw refused("it is not signed: want webhook-id, webhook-timestamp and webhook-signature");
  }
  // An old message is refused also when it is signed: who recorded it may send it again.
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(now - Number(timestamp) * 1_000) > toleranceMs) {
    throw refused("its webhook-timestamp is not of now");
  }
  const head = new TextEncoder().encode(`${id}.${timestamp}.`);
  const message = new Uint8Array(head.byteLength + body.byteLength);
  message.set(head);
  message.set(body, head.byteLength);
  const signatures = given.split(" ").slice(0, signaturesMax).flatMap((each) => {
    const [version, text] = each.split(",");
    const bytes = version === "v1" && text !== undefined ? decoded(text) : undefined;
    return bytes ? [bytes] : [];
  });
  for (const key of keys) {
    for (const signature of signatures) {
      // `verify` compares in constant time.
      if (await crypto.subtle.verify("HMAC", key, signature, message)) return id;
    }
  }
  throw refused("its webhook-signature is not of the sender that it must be from");
}

function decoded(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function refused(why: string): PawlError {
  return new PawlError("WEBHOOK_REFUSED", `Cannot take webhook: ${why}`);
}
