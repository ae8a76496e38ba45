import type { Route } from "./route.ts";
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
  ...operatorRoutes,
  ...uiRoutes,
];
