import { PawlError } from "pawl";

/**
 * Reads a body of bounded size.
 *
 * @param request Any request.
 * @param bytesMax Bytes at most.
 * @returns The bytes as they came.
 * @throws {PawlError} `PAYLOAD_TOO_LARGE`.
 */
export async function readBytes(request: Request, bytesMax: number): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = () =>
    new PawlError("PAYLOAD_TOO_LARGE", `Cannot read the request: its body has more than ${bytesMax} bytes`);
  if (Number(request.headers.get("content-length") ?? 0) > bytesMax) throw tooLarge();
  const pieces: Uint8Array[] = [];
  let size = 0;
  // What a header says of the length need not be true.
  const reader = request.body?.getReader();
  for (let piece = await reader?.read(); piece && !piece.done; piece = await reader!.read()) {
    size += piece.value.byteLength;
    if (size > bytesMax) {
      await reader!.cancel().catch(() => {});
      throw tooLarge();
    }
    pieces.push(piece.value);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.byteLength;
  }
  return bytes;
}

/**
 * Reads a body of JSON. A form of another site cannot send its content type, so a body of any other is refused.
 *
 * @param request Any request.
 * @param bytesMax Bytes at most.
 * @returns What it holds; of no body, `{}`.
 * @throws {PawlError} `PAYLOAD_TOO_LARGE`, `UNSUPPORTED_MEDIA`, `NOT_JSON`.
 */
export async function readJson(request: Request, bytesMax: number): Promise<unknown> {
  const bytes = await readBytes(request, bytesMax);
  checkMedia(request, bytes.byteLength);
  return bytes.byteLength === 0 ? {} : parseJson(bytes);
}

function checkMedia(request: Request, size: number): void {
  const type = request.headers.get("content-type");
  if (type === null ? size === 0 : /^application\/([\w.+-]+\+)?json\s*(;|$)/i.test(type)) return;
  throw new PawlError(
    "UNSUPPORTED_MEDIA",
    "Cannot read the request: want a body of content-type application/json, or none",
  );
}

/**
 * @param bytes JSON text in UTF-8.
 * @returns What it holds.
 * @throws {PawlError} `NOT_JSON`.
 */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    // The parser's message quotes the text.
    throw new PawlError("NOT_JSON", "Cannot read the request: its body is no JSON in UTF-8");
  }
}
