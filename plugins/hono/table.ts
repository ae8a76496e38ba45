import type { Route } from "./route.ts";
import { batchRoutes } from "./routes/batches.ts";
import { lockRoutes } from "./routes/locks.ts";
import { scheduleRoutes } from "./routes/schedules.ts";
import { watchRoutes } from "./routes/watch.ts";
import { webhookRoutes } from "./routes/webhooks.ts";
import { definitionRoutes } from "./routes/definitions.ts";
import { operatorRoutes } from "./routes/operators.ts";
import { runVerbRoutes } from "./routes/run_verbs.ts";
import { runRoutes } from "./routes/runs.ts";
import { serviceRoutes } from "./routes/service.ts";
import { uiRoutes } from "./routes/ui.ts";

/** Every route. Another resource adds its own here, from one file. */
export const routes: readonly Route[] = [
  ...serviceRoutes(() => routes),
  ...definitionRoutes,
  ...runRoutes,
  ...runVerbRoutes,
  ...batchRoutes,
  ...lockRoutes,
  ...scheduleRoutes,
  ...watchRoutes,
  ...webhookRoutes,
  ...operatorRoutes,
  ...uiRoutes,
];
