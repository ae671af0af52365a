/**
 * One upload by tus 1.0.0 (断点续传): creation, offset, next bytes, header.
 *
 * Invariant: an offset is believed only when the server says it, and the server says only what is
 * durable. A refusal carries the server's stable code; no answer at all is `upload.unreachable`.
 */

/** The server refused, or did not answer. `isRetryable`: the same request may succeed later. */
export class UploadRefused extends Error {
  readonly code: string;
  readonly isRetryable: boolean;

  constructor(code: string, isRetryable: boolean) {
    super(code);
    this.name = "UploadRefused";
    this.code = code;
    this.isRetryable = isRetryable;
  }
}

export const UNREACHABLE = "upload.unreachable";
const VERSION = "1.0.0";
const CODE = /^[a-z_]{1,40}\.[a-z_]{1,40}$/;
const RETRYABLE_STATUS = [408, 409, 423, 425, 429];
const SILENCE_MS_MAX = 120_000;

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** What every request of a job has in common; headers may be renewed after a login. */
export interface Origin {
  readonly fetch: Fetch;
  headers: Readonly<Record<string, string>>;
}

/** Bytes, or a piece of a file on the device's disk, which the browser sends by itself. */
export type UploadBody = Uint8Array<ArrayBuffer> | Blob;

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body?: UploadBody;
  readonly signal: AbortSignal;
}

async function ask(origin: Origin, asked: Asked): Promise<Response> {
  const { method, url, headers, body, signal } = asked;
  // A line that is cut without a word must not hold the upload for ever.
  const request = new AbortController();
  const abort = () => request.abort();
  const timer = setTimeout(abort, SILENCE_MS_MAX);
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  let response: Response;
  try {
    response = await origin.fetch(url, {
      method,
      headers: { ...origin.headers, "Tus-Resumable": VERSION, ...headers },
      credentials: "same-origin",
      cache: "no-store",
      redirect: "error",
      signal: request.signal,
      // As a Blob: Chromium sends the same bytes as an array more than ten times slower.
      ...(body === undefined ? {} : { body: body instanceof Blob ? body : new Blob([body]) }),
    });
  } catch {
    throw new UploadRefused(UNREACHABLE, true);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
  if (!response.ok) throw await refusalOf(response);
  return response;
}

/** HEAD has no body, so the code stands in a header too; a proxy's error page has neither. */
async function refusalOf(response: Response): Promise<UploadRefused> {
  let code = response.headers.get("X-Refusal") ?? "";
  let isRetryable = response.status >= 500 || RETRYABLE_STATUS.includes(response.status);
  try {
    const answer = (await response.json()) as { code?: unknown; retryable?: unknown };
    if (typeof answer.code === "string") code = answer.code;
    if (typeof answer.retryable === "boolean") isRetryable = answer.retryable;
  } catch {
    // Not ours, or no body.
  }
  return new UploadRefused(CODE.test(code) ? code : `http.status_${response.status}`, isRetryable);
}

/** The durable offset that an answer names. */
function offsetOf(response: Response): number {
  const text = response.headers.get("Upload-Offset") ?? "";
  if (!/^(?:0|[1-9][0-9]{0,15})$/.test(text)) throw new UploadRefused("upload.offset", true);
  return Number(text);
}

/** Announce a payload; the answer is the upload's address. */
export async function createUpload(
  origin: Origin,
  url: string,
  upload: { readonly length: number; readonly metadata: Readonly<Record<string, string>> },
  signal: AbortSignal,
): Promise<string> {
  const pairs = Object.entries(upload.metadata).map(([key, value]) => `${key} ${value}`);
  const headers = { "Upload-Length": String(upload.length), "Upload-Metadata": pairs.join(",") };
  const response = await ask(origin, { method: "POST", url, headers, signal });
  const location = response.headers.get("Location") ?? "";
  // Only an address on the same origin: the server's word decides no other.
  if (!/^\/[A-Za-z0-9/_.-]{1,200}$/.test(location) || location.startsWith("//")) {
    throw new UploadRefused("upload.location", false);
  }
  return location;
}

/** From where to carry on. */
export async function uploadOffset(
  origin: Origin,
  url: string,
  signal: AbortSignal,
): Promise<number> {
  return offsetOf(await ask(origin, { method: "HEAD", url, headers: {}, signal }));
}

/** Send bytes from `offset`; the answer is the new durable offset. */
export async function sendBytes(
  origin: Origin,
  url: string,
  bytes: { readonly offset: number; readonly body: UploadBody },
  signal: AbortSignal,
): Promise<number> {
  const headers = {
    "Content-Type": "application/offset+octet-stream",
    "Upload-Offset": String(bytes.offset),
  };
  const { body } = bytes;
  return offsetOf(await ask(origin, { method: "PATCH", url, headers, body, signal }));
}

/** The whole header: the upload becomes an envelope. Asking again gets the same answer. */
export async function putHeader(
  origin: Origin,
  url: string,
  body: Uint8Array<ArrayBuffer>,
  signal: AbortSignal,
): Promise<void> {
  const headers = { "Content-Type": "application/octet-stream" };
  await ask(origin, { method: "PUT", url: `${url}/header`, headers, body, signal });
}
