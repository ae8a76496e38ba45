import type { Command } from "./command.ts";
import { init } from "./init.ts";

/** Every command, in the order of the help. What a command needs is imported when it runs, so that each starts fast. */
export const commands: readonly Command[] = [init];
