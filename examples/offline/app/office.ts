/**
 * The office, by HTTP: requests that may be repeated, as each carries what the server knows a repeat by.
 *
 * @module
 */
import type { Answer, Inspection } from "./inspection.ts";
import { readPhoto } from "./photos.ts";

/** Sends the photo of an inspection. */
export async function uploadPhoto(id: string, signal: AbortSignal): Promise<Answer> {
  const photo = await readPhoto(id);
  if (!photo) {
    return { refused: "The photo is no longer on this device: edit the inspection to take it again" };
  }
  return await ask(`photos/${id}`, { method: "PUT", body: photo, signal });
}

/** Sends an inspection. */
export async function sendInspection(
  runId: string,
  inspection: Inspection,
  signal: AbortSignal,
): Promise<Answer> {
  return await ask("inspections", {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": runId },
    body: JSON.stringify(inspection),
    signal,
  });
}

async function ask(path: string, request: RequestInit): Promise<Answer> {
  const response = await fetch(path, request).catch((cause) => {
    throw new Error("The server cannot be reached", { cause });
  });
  if (response.ok) return await response.json();
  // The server has understood, and will say the same to a repeat; all else is tried again.
  const isRefusal = response.status < 500 && ![401, 408, 429].includes(response.status);
  if (isRefusal) return { refused: await response.text() };
  throw new Error(`The server answered ${response.status}`);
}
