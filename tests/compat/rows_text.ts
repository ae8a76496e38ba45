/**
 * A database of IndexedDB as lines of JSON, and the database made of them again: the shape first, then its rows.
 *
 * @module
 */

interface Shape {
  readonly version: number;
  readonly store: string;
  readonly keyPath: string | string[] | null;
}

const settled = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** Every row, but for bytes that a store keeps to fill up a quota: they hold nothing. */
export async function linesOf(name: string): Promise<string> {
  const db = await settled(indexedDB.open(name));
  const store = db.objectStoreNames[0]!;
  const rows = db.transaction(store).objectStore(store);
  const shape: Shape = { version: db.version, store, keyPath: rows.keyPath };
  const [keys, values] = await Promise.all([settled(rows.getAllKeys()), settled(rows.getAll())]);
  db.close();
  const lines = values.map((value, index) => [keys[index], value] as const).filter(([key]) =>
    key !== "!reserve"
  );
  return [shape, ...lines].map((line) => JSON.stringify(line) + "\n").join("");
}

/** Makes a database. */
export async function databaseOf(lines: string, name: string): Promise<void> {
  const [first, ...rows] = lines.trimEnd().split("\n");
  const { version, store, keyPath }: Shape = JSON.parse(first!);
  const opening = indexedDB.open(name, version);
  opening.onupgradeneeded = () => {
    const made = opening.result.createObjectStore(store, keyPath === null ? {} : { keyPath });
    for (const [key, value] of rows.map((line) => JSON.parse(line))) {
      if (keyPath === null) made.put(value, key);
      else made.put(value);
    }
  };
  (await settled(opening)).close();
}
