/**
 * Starts the dashboard. The script stands in the head, so that the page has its theme before it is painted.
 *
 * @module
 */
import { render } from "preact";
import { App } from "./app.tsx";
import { applyTheme } from "./settings.ts";

applyTheme();
addEventListener("DOMContentLoaded", () => render(<App />, document.getElementById("app")!));
