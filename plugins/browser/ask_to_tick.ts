/** Options of {@linkcode askToTick}. */
export interface AskToTickOptions {
  /** The tag that {@linkcode tickOn} was given; default `pawl`. */
  readonly tag?: string;
  /** Asks for a periodic sync too, no more often than this; browsers grant it to installed apps. */
  readonly periodicMs?: number;
}

/** What could be asked for. If all of it is `false`, the next page that opens does the work. */
export interface AskedTick {
  /** The browser wakes the worker once the network is there, also when no page is left. */
  readonly sync: boolean;
  /** The browser wakes the worker now and then. */
  readonly periodicSync: boolean;
  /** The worker was told to tick now. */
  readonly message: boolean;
}

/** A message after which {@linkcode tickOn} ticks; post it with a port, and the port is answered a {@linkcode TickReply}. */
export interface TickMessage {
  /** Tells it from messages of the app. */
  readonly type: "pawl tick";
  /** Whose. */
  readonly tag: string;
}

/** A `ServiceWorkerRegistration`, with what only some browsers have. */
export interface TickRegistration {
  /** The worker, once there is one. */
  readonly active: { postMessage(message: unknown): void } | null;
  /** Background Sync. */
  readonly sync?: { register(tag: string): Promise<void> };
  /** Periodic Background Sync. */
  readonly periodicSync?: {
    register(tag: string, options: { readonly minInterval: number }): Promise<void>;
  };
}

/** What is meant where nothing is said. */
export const defaultTag = "pawl";

/**
 * Makes what to post to a service worker so that it ticks; also when a page is left, as nothing is waited for.
 *
 * @param tag The tag that {@linkcode tickOn} was given.
 * @returns The message.
 */
export function tickMessage(tag: string = defaultTag): TickMessage {
  return { type: "pawl tick", tag };
}

/**
 * Asks a service worker to do what the page may be closed before: by Background Sync where the browser has it and grants
 * it, and else by a message. Call it after a trigger. It never rejects.
 *
 * @param registration Of the worker, such as `await navigator.serviceWorker.ready`.
 * @param options The tag, and whether to ask for a periodic sync.
 * @returns What could be done.
 *
 * @example
 * ```ts
 * import { askToTick } from "pawl/plugins/browser";
 * const worker = { postMessage() {} }; // in a page: const registration = await navigator.serviceWorker.ready;
 * const { sync, message } = await askToTick({ active: worker });
 * console.assert(!sync && message);
 * ```
 */
export async function askToTick(
  registration: TickRegistration,
  options: AskToTickOptions = {},
): Promise<AskedTick> {
  const { tag = defaultTag, periodicMs } = options;
  const sync = await granted(() => registration.sync?.register(tag));
  const periodicSync = periodicMs !== undefined &&
    await granted(() => registration.periodicSync?.register(tag, { minInterval: periodicMs }));
  const message = !sync && await granted(() => registration.active && posted(registration.active, tag));
  return { sync, periodicSync, message };
}

async function posted(worker: { postMessage(message: unknown): void }, tag: string): Promise<void> {
  await worker.postMessage(tickMessage(tag));
}

/** Browsers lack these, refuse them without a permission, and in private windows; none of it is worth a failure. */
async function granted(ask: () => Promise<void> | null | undefined): Promise<boolean> {
  try {
    const asked = ask();
    if (!asked) return false;
    await asked;
    return true;
  } catch {
    return false;
  }
}
