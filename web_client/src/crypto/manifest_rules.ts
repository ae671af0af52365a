/**
 * What a manifest must obey beyond its schema (清单的规则).
 *
 * Invariant: the rules are tried in the order of `RULES`, and the first that fails names the code,
 * the same order and codes as in the Python package. Norm: formats.md §2; sealing.md C6, C17.
 */
import type { Manifest } from "../formats.ts";
import { unhex } from "./bytes.ts";
import { Rejected } from "./errors.ts";
import { isValidPublic } from "./keys.ts";
import type { Suite } from "./suites/index.ts";

const FORM_OF_SESSION = 1;
// No key of a log or witness may ever sign under a name like our labels.
const OUR_LABELS = "KBID1";
const ORIGIN_END = "/kaibiao/log";

/** Refuse with `manifest.<rule>` unless every rule holds. Proofs of possession come after. */
export function checkRules(manifest: Manifest, suite: Suite): void {
  for (const [code, holds] of Object.entries(RULES)) {
    if (!holds(manifest, suite)) throw new Rejected(`manifest.${code}`);
  }
}

const RULES: Record<string, (manifest: Manifest, suite: Suite) => boolean> = {
  lots: ({ lots }) => {
    const numbers = lots.map((lot) => lot.lot);
    const isUndivided = numbers.length === 1 && numbers[0] === 0;
    return isUndivided || (!numbers.includes(0) && isAscending(numbers));
  },

  envelopes: ({ envelopes }) =>
    isAscending(envelopes.map((envelope) => envelope.envelope)) &&
    envelopes[0]?.envelope === FORM_OF_SESSION &&
    envelopes[0].kind === "form",

  /** Exactly one field of each form decides, and that one cannot be left out. */
  fields: ({ envelopes }) =>
    envelopes.every((envelope) => {
      if (envelope.kind !== "form") return true;
      const deciding = envelope.fields.filter((field) => field.decides);
      const names = envelope.fields.map((field) => field.name);
      return deciding.length === 1 && deciding[0]?.optional === false && isDistinct(names);
    }),

  /** Each envelope is opened by exactly one session; envelope 1 by session 1. */
  sessions: ({ sessions, envelopes }) => {
    const opened = sessions.flatMap((session) => session.envelopes).sort((a, b) => a - b);
    const numbers = envelopes.map((envelope) => envelope.envelope);
    return (
      isAscending(sessions.map((session) => session.session)) &&
      sessions.every((session) => isAscending(session.envelopes)) &&
      isSame(opened, numbers) &&
      sessions.some((each) => each.session === 1 && each.envelopes.includes(FORM_OF_SESSION))
    );
  },

  /** t of n; t = n loses everything with one key, so only a demo may have it. */
  threshold: ({ envelopes, demo }) =>
    envelopes.every(({ t, trustees: { length: n } }) => t < n || (t === n && demo)),

  /** What each trustee signed to serve is exactly where the envelopes name it. */
  trustee_envelopes: ({ envelopes, trustees }) => {
    const isLawful = envelopes.every(
      (envelope) =>
        isDistinct(envelope.trustees) &&
        envelope.trustees.every((position) => position <= trustees.length),
    );
    return (
      isLawful &&
      trustees.every((trustee, at) => {
        const naming = envelopes.filter((envelope) => envelope.trustees.includes(at + 1));
        return isSame(
          trustee.envelopes,
          naming.map((envelope) => envelope.envelope),
        );
      })
    );
  },

  trustee_expiry: ({ trustees, deadline_ms }) =>
    trustees.every((trustee) => trustee.expiry_ms > deadline_ms),

  uncertified: ({ trustees, uncertified_allowed }) =>
    uncertified_allowed || trustees.every((trustee) => trustee.ca !== null),

  officers: ({ officers }) => {
    const roles = new Set<string>(officers.map((officer) => officer.role));
    const isSigner = roles.has("agency") || roles.has("purchaser");
    return isSigner && roles.has("supervisor") && roles.has("host");
  },

  log_names: ({ log, witnesses }) => {
    const names = [log.origin, ...witnesses.map((witness) => witness.name)];
    return (
      isDistinct(names) &&
      !names.some((name) => name.startsWith(OUR_LABELS)) &&
      log.origin.length > ORIGIN_END.length &&
      log.origin.endsWith(ORIGIN_END)
    );
  },

  quorum: ({ quorum, witnesses, demo }) => (quorum === 0 ? demo : quorum <= witnesses.length),

  programs: ({ programs }) => isDistinct(programs.map((program) => program.name)),

  /** Every key is of the right kind and stands in one place (C17). */
  keys: ({ officers, witnesses, host_receipt_pk, log, trustees }, suite) => {
    const signing = [
      ...officers.map((officer) => officer.pk),
      ...witnesses.map((witness) => witness.pk),
      host_receipt_pk,
      log.pk,
    ];
    const boxes = trustees.map((trustee) => trustee.xpk);
    // Releasing keys are valid if their proofs verify.
    const releasing = trustees.map((trustee) => trustee.spk);
    return (
      isDistinct([...signing, ...boxes, ...releasing]) &&
      signing.every((key) => isValidPublic(unhex(key))) &&
      boxes.every((key) => suite.isBoxPublic(unhex(key)))
    );
  },
};

function isDistinct(values: readonly unknown[]): boolean {
  return new Set(values).size === values.length;
}

function isAscending(numbers: readonly number[]): boolean {
  return numbers.every((number, at) => at === 0 || (numbers[at - 1] as number) < number);
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((number, at) => number === b[at]);
}
