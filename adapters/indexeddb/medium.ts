/**
 * Where a store lies: `disk`, or `session` in a private window, whose data goes with it; `unknown` where the browser hides
 * which of them it is.
 */
export type Medium = "disk" | "session" | "unknown";

/**
 * Asks Firefox, whose private windows have no private file system. Chromium tells pages of both kinds the same, on purpose,
 * and no sign of Safari's is one that it means to give. To be asked costs an ordinary Firefox half a megabyte of the site's
 * quota, once.
 *
 * @returns Where it lies, never a guess.
 */
export async function findMedium(): Promise<Medium> {
  const { userAgent = "", storage } = (globalThis.navigator ?? {}) as Partial<Navigator>;
  const isFirefox = /\bGecko\/\d/.test(userAgent);
  if (!isFirefox || typeof storage?.getDirectory !== "function") return "unknown";
  try {
    await storage.getDirectory();
    return "disk";
  } catch (error) {
    return (error as { readonly name?: string }).name === "SecurityError" ? "session" : "unknown";
  }
}
