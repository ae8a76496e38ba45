/** What `prometheusTelemetry()` of `pawl/plugins/prometheus` is, as far as a page of metrics needs it. */
export interface MetricsPage {
  /** The content type of the page. */
  readonly contentType: string;
  /** The page. */
  render(): string;
}
