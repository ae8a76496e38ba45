import type { Command } from "./command.ts";
import { awaitRun } from "./commands/await.ts";
import { callback } from "./commands/callback.ts";
import { definitions, diagram } from "./commands/definitions.ts";
import { history } from "./commands/history.ts";
import { list } from "./commands/list.ts";
import { locks } from "./commands/locks.ts";
import { operatorCommands } from "./commands/operate.ts";
import { parked, retry } from "./commands/parked.ts";
import { schedules } from "./commands/schedules.ts";
import { show } from "./commands/show.ts";
import { status } from "./commands/status.ts";
import { exportRuns, importRuns } from "./commands/transfer.ts";
import { trigger } from "./commands/trigger.ts";
import { verify } from "./commands/verify.ts";
import { watch } from "./commands/watch.ts";
import { init } from "./init.ts";

/** Every command, in the order of the help. What a command needs is imported when it runs, so that each starts fast. */
export const commands: readonly Command[] = [
  init,
  list,
  show,
  history,
  watch,
  awaitRun,
  trigger,
  callback,
  ...operatorCommands,
  schedules,
  locks,
  parked,
  retry,
  status,
  verify,
  exportRuns,
  importRuns,
  definitions,
  diagram,
];
