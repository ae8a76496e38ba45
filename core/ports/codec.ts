/**
 * Transforms user payloads on their way to and from the store: encryption or compression.
 *
 * Payload is what users put *in* a run: its data (later also task inputs and results, signal bodies). Index is what
 * the engine must read to find and order runs: definition, key, status, run state, times, versions, reasons and error
 * messages. A codec sees payload only; put no secret in a key or an error message.
 */
export interface Codec {
  /**
   * Transforms a payload.
   *
   * @param text JSON text.
   * @returns Any text; it is stored as a JSON string.
   */
  encode(text: string): string | Promise<string>;
  /**
   * Transforms a payload.
   *
   * @param text What `encode` gave.
   * @returns The JSON text.
   */
  decode(text: string): string | Promise<string>;
}
