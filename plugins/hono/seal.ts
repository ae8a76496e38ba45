/**
 * Text that only who has the secret can make, and read: AES-GCM, which authenticates what it hides.
 *
 * @module
 */

const ivBytes = 12;
/** Ties keys to this use of a secret. */
const purpose = "pawl webhook url v1";

/**
 * @param secret Text with enough chance in it.
 * @returns A key for {@linkcode seal}.
 */
export async function sealingKey(secret: string): Promise<CryptoKey> {
  const encoder = new TextEncoder();
  const material = await crypto.subtle.importKey("raw", encoder.encode(secret), "HKDF", false, ["deriveKey"]);
  return await crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(32), info: encoder.encode(purpose) },
    material,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
}

/**
 * @param key Hides it.
 * @param text Any text.
 * @returns It, as letters that may stand in a URL; another each time.
 */
export async function seal(key: CryptoKey, text: string): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(ivBytes));
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, new TextEncoder().encode(text));
  return urlText(new Uint8Array([...iv, ...new Uint8Array(sealed)]));
}

/**
 * @param keys Any of them may have sealed it.
 * @param sealed What may be of ours.
 * @returns The text, or `undefined`: it is none of ours.
 */
export async function open(keys: readonly CryptoKey[], sealed: string): Promise<string | undefined> {
  const bytes = bytesOf(sealed);
  if (!bytes || bytes.byteLength <= ivBytes) return undefined;
  const [iv, rest] = [bytes.slice(0, ivBytes), bytes.slice(ivBytes)];
  for (const key of keys) {
    const text = await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, rest).catch(() => undefined);
    if (text) return new TextDecoder().decode(text);
  }
  return undefined;
}

function urlText(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[\w-]+$/.test(text)) return undefined;
  try {
    return Uint8Array.from(
      atob(text.replaceAll("-", "+").replaceAll("_", "/")),
      (char) => char.charCodeAt(0),
    );
  } catch {
    return undefined;
  }
}
