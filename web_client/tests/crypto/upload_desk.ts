/** A tus server in memory, and the ways in which lines and servers fail. */
import { type Bytes, equal, hex, unbase64 } from "../../src/crypto/bytes.ts";
import { parseCore, parseHeader, payloadSize } from "../../src/crypto/header.ts";
import { RootHasher } from "../../src/crypto/stream.ts";
import type { Fetch } from "../../src/crypto/tus_upload.ts";

/** What goes wrong with one request; anything absent goes right. */
export interface Mishap {
  /** The line is cut after so many bytes of the body arrived; they are durable. */
  readonly cutAfter?: number;
  /** The request is carried out, but its answer never comes. */
  readonly answerLost?: boolean;
  /** The server refuses. */
  readonly refuse?: { readonly status: number; readonly code: string; readonly retryable: boolean };
  /** Runs in the middle of the request. */
  readonly meanwhile?: () => void;
}

interface Upload {
  readonly core: Bytes;
  readonly bytes: Bytes;
  durable: number;
  /** The most that ever arrived: a second, different byte below it fails the test. */
  high: number;
}

export class UploadDesk {
  readonly requests: string[] = [];
  readonly headers: Record<string, string>[] = [];
  readonly uploads = new Map<string, Upload>();
  readonly stored = new Map<string, { header: Bytes; payload: Bytes }>();
  mishap: (method: string, count: number) => Mishap = () => ({});

  readonly fetch: Fetch = async (url, init) => {
    const method = init.method ?? "GET";
    this.requests.push(method);
    const headers = init.headers as Record<string, string>;
    this.headers.push(headers);
    const mishap = this.mishap(method, this.requests.filter((each) => each === method).length);
    mishap.meanwhile?.();
    if (init.signal?.aborted) throw new DOMException("aborted", "AbortError");
    if (mishap.refuse) return refusal(mishap.refuse);
    if (headers["Tus-Resumable"] !== "1.0.0") return refusal({ code: "tus.version" });
    const body = new Uint8Array(await new Response(init.body ?? null).arrayBuffer());
    const arrived = mishap.cutAfter === undefined ? body : body.subarray(0, mishap.cutAfter);
    const answer = this.answer(method, url, headers, arrived);
    if (mishap.cutAfter !== undefined || mishap.answerLost) throw new TypeError("cut");
    return answer;
  };

  private answer(
    method: string,
    url: string,
    headers: Record<string, string>,
    body: Bytes,
  ): Response {
    if (method === "POST") return this.create(headers);
    const id = url.replace(/\/header$/, "");
    const upload = this.uploads.get(id);
    if (method === "PUT") return this.take(id, upload, body);
    if (upload === undefined) return refusal({ status: 404, code: "upload.unknown" });
    if (method === "PATCH") {
      if (Number(headers["Upload-Offset"]) !== upload.durable) {
        return refusal({ status: 409, code: "upload.offset", retryable: true });
      }
      receive(upload, body);
    }
    const offset = { "Upload-Offset": String(upload.durable) };
    return new Response(null, { status: method === "PATCH" ? 204 : 200, headers: offset });
  }

  private create(headers: Record<string, string>): Response {
    const metadata = Object.fromEntries(
      (headers["Upload-Metadata"] ?? "").split(",").map((pair) => pair.split(" ")),
    ) as Record<string, string>;
    const core = unbase64(metadata["core"] ?? "", "test.core");
    const length = Number(headers["Upload-Length"]);
    if (payloadSize(parseCore(core)) !== length) return refusal({ code: "upload.length" });
    const location = `/uploads/${this.requests.length}`;
    this.uploads.set(location, { core, bytes: new Uint8Array(length), durable: 0, high: 0 });
    return new Response(null, { status: 201, headers: { Location: location } });
  }

  private take(id: string, upload: Upload | undefined, raw: Bytes): Response {
    const header = parseHeader(raw);
    const name = hex(header.bid_id);
    if (upload === undefined) {
      const isStored = this.stored.has(name);
      return isStored ? stored(name) : refusal({ status: 404, code: "upload.unknown" });
    }
    const hasher = new RootHasher(header.suite, header.pt_len, header.log2_chunk);
    hasher.update(upload.bytes.subarray(0, upload.durable));
    const isSame = equal(header.core, upload.core) && equal(hasher.root(), header.ct_root);
    if (!isSame) return refusal({ status: 422, code: "bid.ct_root" });
    this.stored.set(name, { header: raw, payload: upload.bytes });
    this.uploads.delete(id);
    return stored(name);
  }

  /** A crash that lost bytes the server had called durable: never lawful, and must be noticed. */
  forget(bytes: number): void {
    for (const upload of this.uploads.values()) {
      upload.durable = Math.max(0, upload.durable - bytes);
    }
  }
}

function receive(upload: Upload, body: Bytes): void {
  const { bytes, durable, high } = upload;
  const end = durable + body.length;
  if (end > bytes.length) throw new Error("more bytes than announced");
  const again = body.subarray(0, Math.max(0, high - durable));
  if (!equal(again, bytes.subarray(durable, durable + again.length))) {
    throw new Error("other ciphertext at an offset that was sent before");
  }
  bytes.set(body, durable);
  upload.durable = end;
  upload.high = Math.max(high, end);
}

function stored(name: string): Response {
  return new Response(JSON.stringify({ bid_id: name }), { status: 201 });
}

function refusal(what: { status?: number; code: string; retryable?: boolean }): Response {
  const { status = 400, code, retryable = false } = what;
  return new Response(JSON.stringify({ code, retryable, detail: {} }), {
    status,
    headers: { "X-Refusal": code },
  });
}
