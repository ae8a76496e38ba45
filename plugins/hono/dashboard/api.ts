/**
 * Requests to the API that the dashboard is mounted with.
 *
 * @module
 */

/** An answer that is none. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** 0: there was no answer at all. */
  readonly status: number;
  readonly code: string | undefined;

  constructor(status: number, code: string | undefined, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** What a request is besides its path. */
export interface AskOptions {
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE";
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

/** Longest wait for the head of an answer: a page that hangs says nothing of why. */
const answerMsMax = 30_000;

/** Names of a path, each as one segment. */
export function pathOf(...names: readonly string[]): string {
  return names.map(encodeURIComponent).join("/");
}

/** A query of what is given; empty texts and lists are left out. */
export function queryOf(
  params: Readonly<Record<string, string | number | readonly string[] | undefined>>,
): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined || value === "") continue;
    for (const each of Array.isArray(value) ? value : [value]) query.append(name, String(each));
  }
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}

/** The address of a path of the API: the dashboard is at its `ui/`. */
export function addressOf(path: string): string {
  return new URL(`../${path}`, document.baseURI.replace(/[?#].*$/, "")).href;
}

/**
 * Asks, and gives the response, if it is a good one.
 *
 * @throws {ApiError} With what the server says of it.
 */
export async function request(path: string, options: AskOptions = {}): Promise<Response> {
  const { method = "GET", body, signal } = options;
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), answerMsMax);
  const signals = [timeout.signal, ...(signal ? [signal] : [])];
  let response: Response;
  try {
    response = await fetch(addressOf(path), {
      method,
      signal: AbortSignal.any(signals),
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" },
      }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    const why = timeout.signal.aborted ? `no answer in ${answerMsMax / 1_000} s` : "it cannot be reached";
    throw new ApiError(0, undefined, `The server did not answer: ${why}`);
  } finally {
    clearTimeout(timer);
  }
  if (response.ok) return response;
  throw await errorOf(response);
}

async function errorOf(response: Response): Promise<ApiError> {
  const problem = await response.json().catch(() => ({})) as Record<string, unknown>;
  const said = [problem.detail, problem.title].find((each) => typeof each === "string" && each !== "");
  const code = typeof problem.code === "string" ? problem.code : undefined;
  return new ApiError(
    response.status,
    code,
    String(said ?? `The server answered ${response.status} ${response.statusText}`.trim()),
  );
}

/** Asks for JSON. */
export async function ask<Answer>(path: string, options?: AskOptions): Promise<Answer> {
  const response = await request(path, options);
  const text = await response.text();
  return (text === "" ? undefined : JSON.parse(text)) as Answer;
}

/** A name for a request that may be sent twice; `crypto.randomUUID` is missing where a page has no TLS. */
export function newRequestId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `dashboard-${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
