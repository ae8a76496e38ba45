/** A Web Lock per engine: the browser lets go of it when the engine's context is gone, however that came. */
export class LifeSigns {
  readonly #locks: LockManager;
  readonly #prefix: string;

  /**
   * @param locks The browser's.
   * @param name Tells stores apart.
   */
  constructor(locks: LockManager, name: string) {
    this.#locks = locks;
    this.#prefix = `pawl engine ${name} `;
  }

  /**
   * Takes an engine's lock.
   *
   * @param engineId The engine.
   * @returns Lets go of it.
   */
  hold(engineId: string): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const held = () => new Promise<void>((release) => resolve(release));
      this.#locks.request(this.#prefix + engineId, held).catch(reject);
    });
  }

  /**
   * @param engineIds Engines that held theirs.
   * @returns Those that hold it no more.
   */
  async gone(engineIds: readonly string[]): Promise<readonly string[]> {
    const { held = [] } = await this.#locks.query();
    const names = new Set(held.map(({ name }) => name));
    return engineIds.filter((engineId) => !names.has(this.#prefix + engineId));
  }
}
