/** Signs tokens that a server takes. */
export interface TestKeys {
  /** For the server. */
  readonly publicPem: string;
  /** A token; `a`: "rw" or "ro"; `exp`: seconds since 1970. */
  sign(claims: { readonly a: "rw" | "ro"; readonly exp?: number }): Promise<string>;
}

/** @returns A new key pair. */
export async function testKeys(): Promise<TestKeys> {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]) as CryptoKeyPair;
  const spki = base64(new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey)));
  return {
    publicPem: `-----BEGIN PUBLIC KEY-----\n${spki}\n-----END PUBLIC KEY-----\n`,
    async sign(claims) {
      const text = `${part({ alg: "EdDSA", typ: "JWT" })}.${part(claims)}`;
      const signature = await crypto.subtle.sign("Ed25519", pair.privateKey, new TextEncoder().encode(text));
      return `${text}.${urlSafe(base64(new Uint8Array(signature)))}`;
    },
  };
}

const base64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes));

const urlSafe = (text: string) => text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const part = (value: unknown) => urlSafe(btoa(JSON.stringify(value)));
