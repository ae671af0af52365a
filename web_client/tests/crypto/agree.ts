/**
 * Answers, as the browser code does, the questions that the Python tests put to both languages.
 *
 * Reads one JSON array of questions from standard input and prints one array of answers; see
 * tests/crypto/test_both_languages_agree.py. Bytes are hex.
 */
import { readFileSync } from "node:fs";
import { acceptHeader } from "../../src/crypto/accept.ts";
import { parseAck } from "../../src/crypto/ack.ts";
import { hex, unhex } from "../../src/crypto/bytes.ts";
import { decode } from "../../src/crypto/canonical.ts";
import { parseCard } from "../../src/crypto/card.ts";
import { parseCheckpoint } from "../../src/crypto/checkpoint.ts";
import { type DocumentName, decodeDocument } from "../../src/crypto/documents.ts";
import { decodeEntry } from "../../src/crypto/entries.ts";
import { Rejected } from "../../src/crypto/errors.ts";
import { blake2b256, sha256 } from "../../src/crypto/hashes.ts";
import { parseHeader } from "../../src/crypto/header.ts";
import { SigningKey, verify } from "../../src/crypto/keys.ts";
import { parseManifest } from "../../src/crypto/manifest.ts";
import { contentKey, openPayload } from "../../src/crypto/opening.ts";
import { parseReceipt, verifyReceipt } from "../../src/crypto/receipts.ts";
import { parseRelease } from "../../src/crypto/release_message.ts";
import { sealBytes } from "../../src/crypto/sealing.ts";
import { dealCheck } from "../../src/crypto/shares.ts";
import { sodiumReady } from "../../src/crypto/sodium.ts";
import { parseSubmit } from "../../src/crypto/submissions.ts";
import { getSuite } from "../../src/crypto/suites/index.ts";
import { checkText, parseMoney, parseRate } from "../../src/crypto/text.ts";
import {
  parseCardUnlock,
  parseSelfRelease,
  parseUnlock,
} from "../../src/crypto/unlock_messages.ts";
import { type TermsVector, termsFrom } from "./vectors.ts";

interface Question {
  ask: string;
  raw: string;
  suite: number;
  terms: TermsVector;
  [name: string]: unknown;
}

const text = (raw: Uint8Array) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(raw);
const bytes = (question: Question, name: string) => unhex(String(question[name]));

function suiteOf(question: Question) {
  return getSuite(question.suite, { allowTest: true });
}

const ANSWERS: Record<string, (raw: Uint8Array, question: Question) => unknown> = {
  seal: (raw, question) => {
    const sealed = sealBytes(
      {
        terms: termsFrom(question.terms),
        lot: Number(question["lot"]),
        created_ms: Number(question["created_ms"]),
        bid_nonce: bytes(question, "bid_nonce"),
        seed: bytes(question, "seed"),
        key: new SigningKey(bytes(question, "sign_seed")),
      },
      raw,
    );
    return [hex(sealed.header.raw), hex(sealed.payload)];
  },
  open: (raw, question) => {
    const header = acceptHeader(bytes(question, "header"), termsFrom(question.terms));
    const sH = bytes(question, "s_H");
    if (!dealCheck(header, sH)) return "deal_check";
    const key = contentKey(header, bytes(question, "s_B"), sH);
    return key === null ? "content_key" : hex(sha256(openPayload(header, key, raw)));
  },
  header: (raw, question) => hex(parseHeader(raw, suiteOf(question)).bid_id),
  accept: (raw, question) => hex(acceptHeader(raw, termsFrom(question.terms)).bid_id),
  submit: (raw, question) => hex(parseSubmit(raw, suiteOf(question)).digest),
  unlock: (raw, question) => hex(parseUnlock(raw, suiteOf(question)).digest),
  release: (raw, question) => hex(parseRelease(raw, suiteOf(question)).digest),
  card_unlock: (raw, question) => hex(parseCardUnlock(raw, suiteOf(question)).digest),
  self_release: (raw, question) => hex(parseSelfRelease(raw, suiteOf(question)).digest),
  ack: (raw) => hex(parseAck(raw).digest),
  card: (raw, question) => hex(parseCard(text(raw), suiteOf(question)).bidder_half),
  json: (raw, question) => {
    decode(raw, { sizeMax: Number(question["size_max"]), depthMax: Number(question["depth_max"]) });
    return "read";
  },
  document: (raw, question) => {
    decodeDocument(question["document"] as DocumentName, raw);
    return "read";
  },
  manifest: (raw) => hex(parseManifest(raw).tender_id),
  entry: (raw) => decodeEntry(raw).type,
  receipt: (raw, question) =>
    hex(verifyReceipt(parseReceipt(raw), parseManifest(bytes(question, "manifest"))).ack.digest),
  checkpoint: (raw, question) =>
    parseCheckpoint(text(raw), String(question["origin"]), bytes(question, "log_pk")).size,
  text: (raw) => hex(blake2b256(new TextEncoder().encode(checkText(text(raw), 1, 50)))),
  money: (raw) => parseMoney(text(raw)),
  rate: (raw) => parseRate(text(raw), 2),
  signature: (raw, question) => verify(bytes(question, "public"), raw, bytes(question, "sig")),
};

function answerTo(question: Question): unknown {
  const answer = ANSWERS[question.ask];
  if (answer === undefined) throw new Error(`nobody can answer ${question.ask}`);
  try {
    return answer(unhex(question.raw), question);
  } catch (error) {
    if (error instanceof Rejected) return `refused ${error.code}`;
    throw error;
  }
}

await sodiumReady();
const questions = JSON.parse(readFileSync(0, "utf8")) as Question[];
process.stdout.write(JSON.stringify(questions.map(answerTo)));
