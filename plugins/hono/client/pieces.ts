/**
 * The text of a body, piece by piece.
 *
 * @param body An answer's.
 * @param signal Ends it. Not everything that can be given as `fetch` heeds the signal once a body has begun.
 * @returns The pieces; ends when the body does, in whatever way.
 */
export async function* piecesOf(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  const leave = () => void reader.cancel().catch(() => {});
  signal?.addEventListener("abort", leave, { once: true });
  try {
    while (!signal?.aborted) {
      const { done, value } = await reader.read().catch(() => ({ done: true as const, value: undefined }));
      if (done) return;
      yield decoder.decode(value, { stream: true });
    }
  } finally {
    signal?.removeEventListener("abort", leave);
    leave();
  }
}
