import { beforeAll, expect, test } from "vitest";
import { batchRoot, siteLeaf } from "../../src/crypto/batch.ts";
import { concat, hex, u8, unhex, utf8 } from "../../src/crypto/bytes.ts";
import { encode } from "../../src/crypto/canonical.ts";
import { fingerprint, parseCheckpoint, signCheckpoint } from "../../src/crypto/checkpoint.ts";
import { SigningKey } from "../../src/crypto/keys.ts";
import {
  checkConsistency,
  inclusionPath,
  leafHash,
  merkleRoot,
  rootFromPath,
} from "../../src/crypto/merkle.ts";
import { bodyHash, FIRST_PREV_HASH, rowHash, stubBytes } from "../../src/crypto/rows.ts";
import { sodiumReady } from "../../src/crypto/sodium.ts";
import { consistencyPath } from "./rehearsal.ts";

const ORIGIN = "hall.jiangzhou.example/kaibiao/log";
const ROOT = "c8ba9cfb871487382c4a82f685adddedc9b42cbb5f3aa2068608b48eb6cc9016";
const CHECKPOINT = `${ORIGIN}
1
yLqc+4cUhzgsSoL2ha3d7cm0LLtfOqIGhgi0jrbMkBY=

— ${ORIGIN} caxLuE7qRx/2WEOkJyLV8drJdRWd5DmXODS6Uxo0xzFmjoe4kHtBl26iv1RS1haAJuxHJEDAge8BnyaREu6nkaWufgI=
`;
const salt = Uint8Array.from({ length: 16 }, (_, i) => i);
let logKey: SigningKey;

beforeAll(async () => {
  await sodiumReady();
  logKey = new SigningKey(new Uint8Array(32).fill(0x32));
});

const refusal = (code: string) => expect.objectContaining({ code });

test("the specification's journal row has the hashes printed there", () => {
  const body = unhex(
    "93a6686f73742d31a6632d3030303182a6656e645f6d73cf000001a1f6ae9900a8656e76656c6f706501",
  );
  const stub = stubBytes({
    audience: "hall",
    epoch: 1,
    seq: 1,
    stream: "opening:jz-0417",
    ts_ms: 1795138260000,
    type: "window_opened",
    ver: 1,
  });
  const hash = bodyHash(salt, body);
  expect(hex(hash)).toBe("c8897634ed01fb14bf7469f3cc74be86aa1933f2555ab8dbef94ebbe3cd4c408");
  expect(hex(rowHash(FIRST_PREV_HASH, hash, stub))).toBe(
    "f271c6b540ef503c958c7b57fe8536107f3051e100871159eef170a0c3c98de2",
  );
});

test("the specification's entry leads to its root, fingerprint and checkpoint", () => {
  const members = encode({
    count: 0,
    deadline_ms: 1795138200000,
    list_root: hex(merkleRoot([])),
    server_ms: 1795138200412,
    tender_id: "b4ffbf9c27a4b84cb1ede634a2449e7978971638808fa5b65280e8fc0a319373",
  });
  const entry = concat(salt, u8(6), members);
  expect(hex(leafHash(entry))).toBe(
    "b75cee3efb2383b7a45cc1055d181850b846215e6c7474beab58aa3dc90b8781",
  );
  const siblings = Array.from({ length: 16 }, (_, i) => new Uint8Array(32).fill(i + 1));
  const root = batchRoot(entry, 5, siblings);
  expect(hex(root)).toBe("cf078806d6a5b2c2c12ea3a0557bed58b74552fd9865534eae9f8464dc356c4f");
  const siteRoot = siteLeaf(1795138201000, root);
  expect(hex(siteRoot)).toBe(ROOT);
  expect(fingerprint(siteRoot)).toBe("ZC5J Z64H CSDT QLCK QL3I LLO5");
  expect(signCheckpoint(ORIGIN, 1, siteRoot, logKey)).toBe(CHECKPOINT);
});

test("a checkpoint is read only as its key signed it", () => {
  expect(parseCheckpoint(CHECKPOINT, ORIGIN, logKey.public)).toMatchObject({
    size: 1,
    root: unhex(ROOT),
  });
  const refused: [string, string][] = [
    [CHECKPOINT.replace("\n1\n", "\n2\n"), "checkpoint.signature"],
    [CHECKPOINT.replace("\n1\n", "\n01\n"), "checkpoint.form"],
    [CHECKPOINT.replace("\n1\n", "\n0\n"), "checkpoint.form"],
    [CHECKPOINT.replace("BY=\n", "BZ=\n"), "checkpoint.form"],
    [CHECKPOINT.replace("caxL", "daxL"), "checkpoint.key"],
    [`${CHECKPOINT}— other x\n`, "checkpoint.form"],
    [CHECKPOINT.slice(0, -1), "checkpoint.form"],
    [CHECKPOINT.replace(ORIGIN, "other"), "checkpoint.origin"],
    ["x".repeat(3000), "checkpoint.size"],
  ];
  for (const [text, code] of refused) {
    expect(() => parseCheckpoint(text, ORIGIN, logKey.public)).toThrow(refusal(code));
  }
});

const leaves = (size: number) =>
  Array.from({ length: size }, (_, i) => leafHash(utf8(`leaf ${i}`)));

test("every leaf of every small tree leads to the root, and no shorter or longer path does", () => {
  for (let size = 1; size <= 33; size++) {
    const all = leaves(size);
    const root = merkleRoot(all);
    for (const [index, leaf] of all.entries()) {
      const path = inclusionPath(all, index);
      expect(rootFromPath(leaf, index, size, path)).toEqual(root);
      expect(() => rootFromPath(leaf, index, size, [...path, root])).toThrow(
        refusal("proof.length"),
      );
      if (path.length > 0) {
        expect(() => rootFromPath(leaf, index, size, path.slice(1))).toThrow(
          refusal("proof.length"),
        );
      }
    }
  }
});

test("a grown tree is consistent with what it was, and with nothing else", () => {
  for (let size = 1; size <= 20; size++) {
    const all = leaves(size);
    const grown = { size, root: merkleRoot(all) };
    for (let old = 1; old <= size; old++) {
      const before = { size: old, root: merkleRoot(all.slice(0, old)) };
      const path = consistencyPath(all, old);
      expect(() => checkConsistency(before, grown, path)).not.toThrow();
      const forged = { size: old, root: leafHash(before.root) };
      expect(() => checkConsistency(forged, grown, path)).toThrow(refusal("proof.root"));
      expect(() => checkConsistency(before, grown, [...path, grown.root])).toThrow(
        refusal("proof.length"),
      );
    }
  }
});
