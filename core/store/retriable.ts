/**
 * Opens something on first use.
 *
 * @param make Opens it.
 * @returns The same promise for every caller; after a failure the next caller tries again.
 */
export function retriable<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () =>
    made ??= make().catch((error) => {
      made = undefined;
      throw error;
    });
}
