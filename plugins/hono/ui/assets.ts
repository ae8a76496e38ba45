/** A file of the dashboard. */
export interface Asset {
  /** Its name under `/ui/`; the page itself is `index.html`. */
  readonly name: string;
  /** Its content type. */
  readonly type: string;
  /** Its text. */
  readonly text: string;
}

/** The files of the dashboard. */
export const assets: readonly Asset[] = [{
  name: "index.html",
  type: "text/html; charset=utf-8",
  text: '<!doctype html><html lang="en"><title>Pawl</title><p>The dashboard is not built yet.</p></html>',
}];
