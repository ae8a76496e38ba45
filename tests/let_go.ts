/**
 * Deno lets go of a closed BroadcastChannel some turns of its event loop later, and its check for leaks waits for few of them.
 */
export async function letGo(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
}
