/**
 * Photos on the device, in a small database of their own: a run carries only the id of its photo.
 *
 * @module
 */

/** The longer side of a photo that the office gets, in pixels. */
const sideMax = 1_280;

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open("inspection photos", 1);
  request.onupgradeneeded = () => request.result.createObjectStore("photos");
  return done(request);
}

function done<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Writes, and resolves when the disk has it. */
async function write(change: (photos: IDBObjectStore) => void): Promise<void> {
  const database = await open();
  try {
    const transaction = database.transaction("photos", "readwrite", { durability: "strict" });
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
      change(transaction.objectStore("photos"));
    });
  } finally {
    database.close();
  }
}

/** Keeps a photo. */
export function keepPhoto(id: string, photo: Blob): Promise<void> {
  return write((photos) => photos.put(photo, id));
}

/** The photo, unless it is gone. */
export async function readPhoto(id: string): Promise<Blob | undefined> {
  const database = await open();
  try {
    return await done<Blob | undefined>(database.transaction("photos").objectStore("photos").get(id));
  } finally {
    database.close();
  }
}

/** Forgets a photo. */
export function dropPhoto(id: string): Promise<void> {
  return write((photos) => photos.delete(id));
}

/** Makes a photo smaller, unless it is small, or no picture that this browser can draw. */
export async function packPhoto(id: string): Promise<void> {
  const photo = await readPhoto(id);
  const picture = photo && await createImageBitmap(photo).catch(() => undefined);
  if (!picture) return;
  const scale = sideMax / Math.max(picture.width, picture.height);
  if (scale >= 1) return;
  const canvas = new OffscreenCanvas(Math.round(picture.width * scale), Math.round(picture.height * scale));
  canvas.getContext("2d")!.drawImage(picture, 0, 0, canvas.width, canvas.height);
  await keepPhoto(id, await canvas.convertToBlob({ type: "image/jpeg", quality: 0.8 }));
}
