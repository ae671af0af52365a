// biome-ignore-all format: printed, not written
/**
 * The JSON objects of the project (数据格式): types, and the schemas as data.
 *
 * Printed by `python -m crypto.formats --typescript` from crypto/objects; change those instead.
 */

export type Schema =
  | { readonly kind: "int"; readonly low: number; readonly high: number }
  | { readonly kind: "flag" }
  | { readonly kind: "text"; readonly low: number; readonly high: number }
  | { readonly kind: "ascii"; readonly pattern: string }
  | { readonly kind: "hex"; readonly low: number; readonly high: number }
  | { readonly kind: "note"; readonly high: number }
  | { readonly kind: "oneOf"; readonly values: readonly (string | number)[] }
  | { readonly kind: "items"; readonly item: Schema; readonly low: number; readonly high: number }
  | { readonly kind: "maybe"; readonly schema: Schema }
  | { readonly kind: "ref"; readonly name: string };

/** Members are checked in this order; `optional` ones may be absent. */
export interface ObjectSchema {
  readonly kind: "object";
  readonly members: Readonly<Record<string, Schema>>;
  readonly optional: readonly string[];
}
/** One of several objects, chosen by the value of the member `tag`. */
export interface TaggedSchema {
  readonly kind: "tagged";
  readonly tag: string;
  readonly variants: Readonly<Record<string, string>>;
}
/** An object whose members another check decides. */
export interface OpenSchema {
  readonly kind: "open";
}
export interface DocumentLimits {
  readonly schema: Schema;
  readonly sizeMax: number;
  readonly depthMax: number;
}

/** An organisation (单位) */
export interface Party {
  readonly code: string;
  readonly name: string;
}

/** 标段 */
export interface Lot {
  readonly lot: number;
  readonly name: string;
}

/** A label */
export interface Label {
  readonly en: string;
  readonly zh: string;
}

/** Yuan with two digits, a string */
export interface MoneyField {
  readonly name: string;
  readonly label: Label;
  readonly decides: boolean;
  readonly optional: boolean;
  readonly type: "money";
}

/** A percentage, a string */
export interface RateField {
  readonly name: string;
  readonly label: Label;
  readonly decides: boolean;
  readonly optional: boolean;
  readonly type: "rate";
  readonly digits: number;
}

/** Days, an integer from 1 */
export interface DaysField {
  readonly name: string;
  readonly label: Label;
  readonly decides: boolean;
  readonly optional: boolean;
  readonly type: "days";
  readonly max: number;
}

/** Text */
export interface TextField {
  readonly name: string;
  readonly label: Label;
  readonly decides: boolean;
  readonly optional: boolean;
  readonly type: "text";
  readonly max: number;
}

/** What a bidder fills in (开标一览表的一栏) */
export type Field = MoneyField | RateField | DaysField | TextField;

/** Read out (开标一览表) */
export interface FormEnvelope {
  readonly envelope: number;
  readonly kind: "form";
  readonly name: string;
  readonly log2_chunk: number;
  readonly pt_len_max: number;
  readonly mode: 0 | 1;
  readonly t: number;
  readonly trustees: readonly number[];
  readonly fields: readonly Field[];
}

/** Documents */
export interface BodyEnvelope {
  readonly envelope: number;
  readonly kind: "body";
  readonly name: string;
  readonly log2_chunk: number;
  readonly pt_len_max: number;
  readonly mode: 0 | 1;
  readonly t: number;
  readonly trustees: readonly number[];
}

/** What is sealed and opened together */
export type Envelope = FormEnvelope | BodyEnvelope;

/** What people see as one countdown (解密时段) */
export interface Session {
  readonly session: number;
  readonly envelopes: readonly number[];
  readonly window_ms: number;
  readonly reply_ms: number;
  readonly early_end: boolean;
  readonly show_count: boolean;
  readonly outage: "extend" | "keep";
  readonly outage_ms_max: number;
  readonly unattended: boolean;
}

/** A certificate's signature over the trustee's keys */
export interface Certification {
  readonly chain: readonly string[];
  readonly sig: string;
}

/** Holds a share of every host half (持钥人) */
export interface Trustee {
  readonly role: "agency" | "purchaser" | "supervisor" | "notary" | "witness";
  readonly code: string;
  readonly organisation: string;
  readonly name: string;
  readonly envelopes: readonly number[];
  readonly expiry_ms: number;
  readonly xpk: string;
  readonly spk: string;
  readonly proof: string;
  readonly ca: Certification | null;
}

/** Signs acts by office */
export interface Officer {
  readonly role: "agency" | "purchaser" | "supervisor" | "host";
  readonly code: string;
  readonly name: string;
  readonly pk: string;
}

/** The site log */
export interface Log {
  readonly origin: string;
  readonly pk: string;
}

/** Cosigner */
export interface Witness {
  readonly name: string;
  readonly pk: string;
}

/** A program people get elsewhere */
export interface Program {
  readonly name: string;
  readonly sha256: string;
}

/** Later */
export type Draw = Readonly<Record<string, unknown>>;

/** The tender manifest, manifest.json (招标项目清单) */
export interface Manifest {
  readonly format: 1;
  readonly suite: number;
  readonly demo: boolean;
  readonly parent: string | null;
  readonly number: string;
  readonly title: string;
  readonly purchaser: Party;
  readonly agency: Party;
  readonly deadline_ms: number;
  readonly template: string;
  readonly min_bidders: number;
  readonly submissions_max: number;
  readonly uncertified_allowed: boolean;
  readonly names_masked: boolean;
  readonly traces: boolean;
  readonly lots: readonly Lot[];
  readonly envelopes: readonly Envelope[];
  readonly sessions: readonly Session[];
  readonly trustees: readonly Trustee[];
  readonly officers: readonly Officer[];
  readonly host_receipt_pk: string;
  readonly log: Log;
  readonly witnesses: readonly Witness[];
  readonly quorum: number;
  readonly closing_bound_ms: number;
  readonly programs: readonly Program[];
  readonly draws: readonly Draw[];
}

/** An officer's signature over the tender_id */
export interface RoleSignature {
  readonly pk: string;
  readonly role: "agency" | "purchaser" | "supervisor";
  readonly sig: string;
}

/** manifest.sig.json */
export interface ManifestSignatures {
  readonly signatures: readonly RoleSignature[];
  readonly tender_id: string;
}

/** Name to value */
export type FormFields = Readonly<Record<string, unknown>>;

/** Another envelope of the same bid */
export interface OtherEnvelope {
  readonly bid_id: string;
  readonly envelope: number;
}

/** Marks of the machine that made the bid (雷同性特征码) */
export interface Traces {
  readonly deposit_account: string;
  readonly file_id: string;
  readonly lock_numbers: readonly string[];
  readonly machine_code: string;
}

/** What a form envelope holds, before padding (开标一览表) */
export interface Form {
  readonly bidder: Party;
  readonly fields: FormFields;
  readonly format: 1;
  readonly lot: number;
  readonly others: readonly OtherEnvelope[];
  readonly traces?: Traces;
}

/** One entry and its way to the root of the site tree */
export interface Proof {
  readonly entry: string;
  readonly slot: number;
  readonly siblings: readonly string[];
  readonly tick_ms: number;
  readonly index: number;
  readonly size: number;
  readonly path: readonly string[];
}

/** The tree of `to` leaves begins with the tree of `from` leaves */
export interface Consistency {
  readonly from: number;
  readonly to: number;
  readonly path: readonly string[];
}

/** What a bidder keeps, *.receipt.json (回执) */
export interface Receipt {
  readonly ack: string;
  readonly checkpoint: string;
  readonly closed_path: readonly string[] | null;
  readonly message: string;
  readonly proof: Proof;
}

/** What a journal row shows even when its body is withheld */
export interface Stub {
  readonly audience: string;
  readonly epoch: number;
  readonly seq: number;
  readonly stream: string;
  readonly ts_ms: number;
  readonly type: string;
  readonly ver: number;
}

/** A line of journal.jsonl (流水行) */
export interface JournalRow {
  readonly body: string | null;
  readonly body_hash: string;
  readonly hash: string;
  readonly prev_hash: string;
  readonly salt: string | null;
  readonly stub: Stub;
}

/** A file of the bundle */
export interface BundleMember {
  readonly name: string;
  readonly sha256: string;
  readonly size: number;
}

/** index.json of opening.zip */
export interface BundleIndex {
  readonly format: 1;
  readonly members: readonly BundleMember[];
  readonly tender_id: string;
}

/** closed.json */
export interface ClosedList {
  readonly submits: readonly string[];
}

export interface FrozenBid {
  readonly bid_id: string;
  readonly form_sha256: string | null;
  readonly state: "opened" | "locked" | "unrecoverable" | "damaged" | "malformed";
}

/** frozen.json: states and form hashes of one window */
export interface Frozen {
  readonly bids: readonly FrozenBid[];
  readonly nonce: string;
}

/** An opened form with its bid_id */
export interface ReadOutRow {
  readonly bid_id: string;
  readonly bidder: Party;
  readonly fields: FormFields;
  readonly format: 1;
  readonly lot: number;
  readonly others: readonly OtherEnvelope[];
  readonly traces?: Traces;
}

/** readout.json (唱标) */
export interface ReadOut {
  readonly format: 1;
  readonly nonce: string;
  readonly rows: readonly ReadOutRow[];
  readonly tender_id: string;
}

export interface Argon2id {
  readonly memory_kib: 65536;
  readonly passes: 3;
  readonly salt: string;
}

/** *.kbk: a bidder's keys for one tender, under a passphrase (密钥文件) */
export interface KeyFile {
  readonly argon2id: Argon2id;
  readonly box: string;
  readonly format: 1;
  readonly pk: string;
  readonly xpk: string;
}

/** The log begins or the server starts again */
export interface SiteStartEntry {
  readonly server_ms: number;
  readonly epoch: number;
  readonly log_origin: string;
  readonly software: string;
}

/** A signed manifest is in force */
export interface TenderEntry {
  readonly server_ms: number;
  readonly sha256: string;
  readonly size: number;
  readonly signatures: readonly RoleSignature[];
  readonly tender_id: string;
}

/** Uncertified: the host receipt key vouches */
export interface Invitation {
  readonly kind: "invitation";
  readonly pk: string;
  readonly sig: string;
}

/** A certificate signs the bind bytes */
export interface CertificateBinding {
  readonly kind: "certificate";
  readonly chain_sha256: string;
  readonly sig: string;
}

/** Who vouches for a bidder's keys */
export type Binding = Invitation | CertificateBinding;

/** A bidder's keys for this tender */
export interface BidderRegEntry {
  readonly server_ms: number;
  readonly bidder_pk: string;
  readonly bidder_xpk: string;
  readonly org_sha256: string;
  readonly expiry_ms: number;
  readonly sig: string;
  readonly binding: Binding;
  readonly tender_id: string;
}

/** An officer's signature over the act message */
export interface ActSignature {
  readonly pk: string;
  readonly sig: string;
}

/** Later only, logged before the old deadline */
export interface DeadlineChangeEntry {
  readonly server_ms: number;
  readonly old_ms: number;
  readonly deadline_ms: number;
  readonly reason: string;
  readonly sigs: readonly ActSignature[];
  readonly tender_id: string;
}

/** A bid or its withdrawal was received */
export interface SubmitEntry {
  readonly server_ms: number;
  readonly kind: 1 | 2;
  readonly result: number;
  readonly sha256: string;
  readonly size: number;
  readonly received_ms: number;
  readonly tender_id: string;
}

/** The list of counting bids is closed (截标) */
export interface DeadlineClosedEntry {
  readonly server_ms: number;
  readonly deadline_ms: number;
  readonly count: number;
  readonly list_root: string;
  readonly tender_id: string;
}

/** Stored bytes were hashed again */
export interface StoreCheckEntry {
  readonly server_ms: number;
  readonly checked: number;
  readonly damaged: readonly string[];
  readonly tender_id: string;
}

/** A window opens (开始解密) */
export interface OpeningStartEntry {
  readonly server_ms: number;
  readonly session: number;
  readonly envelope: number;
  readonly w: number;
  readonly nonce: string;
  readonly start_ms: number;
  readonly end_ms: number;
  readonly tender_id: string;
}

/** Pause, resume or extend; never shorter */
export interface WindowChangeEntry {
  readonly server_ms: number;
  readonly nonce: string;
  readonly change: "pause" | "resume" | "extend";
  readonly end_ms: number;
  readonly remaining_ms: number | null;
  readonly reason: string;
  readonly tender_id: string;
}

/** A bidder's halves were received (投标人解密) */
export interface UnlockEntry {
  readonly server_ms: number;
  readonly nonce: string;
  readonly by: "key" | "card";
  readonly result: number;
  readonly sha256: string;
  readonly size: number;
  readonly received_ms: number;
  readonly tender_id: string;
}

/** A try that failed: evidence of whose fault it is */
export interface AttemptEntry {
  readonly server_ms: number;
  readonly nonce: string;
  readonly bid_id: string;
  readonly code: string;
  readonly sha256: string;
  readonly received_ms: number;
  readonly tender_id: string;
}

/** The window is over */
export interface WindowEndEntry {
  readonly server_ms: number;
  readonly nonce: string;
  readonly end_ms: number;
  readonly early: boolean;
  readonly unlocked: number;
  readonly tender_id: string;
}

/** A trustee's shares were received (招标人解密) */
export interface ReleaseEntry {
  readonly server_ms: number;
  readonly nonce: string;
  readonly i: number;
  readonly mode: 0 | 1;
  readonly sha256: string;
  readonly size: number;
  readonly received_ms: number;
  readonly tender_id: string;
}

/** A bidder showed its own host half */
export interface SelfReleaseEntry {
  readonly server_ms: number;
  readonly nonce: string;
  readonly bid_id: string;
  readonly sha256: string;
  readonly received_ms: number;
  readonly tender_id: string;
}

/** Fewer than t trustees remain */
export interface TrusteesLostEntry {
  readonly server_ms: number;
  readonly nonce: string;
  readonly reason: string;
  readonly sigs: readonly ActSignature[];
  readonly tender_id: string;
}

/** The same ciphertext was stored again */
export interface RepairEntry {
  readonly server_ms: number;
  readonly bid_id: string;
  readonly ct_root: string;
  readonly tender_id: string;
}

/** No more self-releases and repairs */
export interface ReplyEndEntry {
  readonly server_ms: number;
  readonly nonce: string;
  readonly tender_id: string;
}

/** A trustee's message is not what it must be */
export interface TrusteeFaultEntry {
  readonly server_ms: number;
  readonly nonce: string;
  readonly i: number;
  readonly bid_id: string | null;
  readonly fault: "share" | "unreadable" | "second";
  readonly sha256: string;
  readonly tender_id: string;
}

/** States and form hashes are fixed */
export interface SetFrozenEntry {
  readonly server_ms: number;
  readonly nonce: string;
  readonly sha256: string;
  readonly size: number;
  readonly tender_id: string;
}

/** All opened forms are shown at once (唱标) */
export interface ReadOutEntry {
  readonly server_ms: number;
  readonly nonce: string;
  readonly sha256: string;
  readonly size: number;
  readonly tender_id: string;
}

/** A body was opened or not */
export interface BodyStateEntry {
  readonly server_ms: number;
  readonly bid_id: string;
  readonly state: "opened" | "locked" | "unrecoverable" | "damaged" | "malformed";
  readonly tender_id: string;
}

/** Why a bid did not open */
export interface StateDecidedEntry {
  readonly server_ms: number;
  readonly bid_id: string;
  readonly proposed: "revoked" | "excused" | "malformed";
  readonly ground: "revoked" | "excused" | "malformed";
  readonly reason: string;
  readonly sigs: readonly ActSignature[];
  readonly tender_id: string;
}

/** An objection (异议) */
export interface ObjectionEntry {
  readonly server_ms: number;
  readonly sha256: string;
  readonly size: number;
  readonly tender_id: string;
}

/** A reply to an objection */
export interface ReplyEntry {
  readonly server_ms: number;
  readonly sha256: string;
  readonly size: number;
  readonly of: string;
  readonly tender_id: string;
}

/** Somebody signed the record or refused to */
export interface RecordSignedEntry {
  readonly server_ms: number;
  readonly sha256: string;
  readonly size: number;
  readonly root: string;
  readonly refused: boolean;
  readonly reason: string;
  readonly tender_id: string;
}

/** Newest row of a stream that moved in this second */
export interface HeadEntry {
  readonly server_ms: number;
  readonly stream: string;
  readonly seq: number;
  readonly hash: string;
}

/** An operator did something */
export interface OperatorActionEntry {
  readonly server_ms: number;
  readonly action: string;
  readonly actor: string;
  readonly sha256: string;
}

export const OBJECTS: Readonly<
  Record<string, ObjectSchema | TaggedSchema | OpenSchema>
> = {
  Party: { kind: "object", members: { code: { kind: "ascii", pattern: "[0-9A-Z]{18}" }, name: { kind: "text", low: 1, high: 200 } }, optional: [] },
  Lot: { kind: "object", members: { lot: { kind: "int", low: 0, high: 4294967295 }, name: { kind: "text", low: 1, high: 200 } }, optional: [] },
  Label: { kind: "object", members: { en: { kind: "text", low: 1, high: 100 }, zh: { kind: "text", low: 1, high: 100 } }, optional: [] },
  MoneyField: { kind: "object", members: { name: { kind: "ascii", pattern: "[a-z][a-z0-9_]{0,31}" }, label: { kind: "ref", name: "Label" }, decides: { kind: "flag" }, optional: { kind: "flag" }, type: { kind: "oneOf", values: ["money"] } }, optional: [] },
  RateField: { kind: "object", members: { name: { kind: "ascii", pattern: "[a-z][a-z0-9_]{0,31}" }, label: { kind: "ref", name: "Label" }, decides: { kind: "flag" }, optional: { kind: "flag" }, type: { kind: "oneOf", values: ["rate"] }, digits: { kind: "int", low: 1, high: 4 } }, optional: [] },
  DaysField: { kind: "object", members: { name: { kind: "ascii", pattern: "[a-z][a-z0-9_]{0,31}" }, label: { kind: "ref", name: "Label" }, decides: { kind: "flag" }, optional: { kind: "flag" }, type: { kind: "oneOf", values: ["days"] }, max: { kind: "int", low: 1, high: 36500 } }, optional: [] },
  TextField: { kind: "object", members: { name: { kind: "ascii", pattern: "[a-z][a-z0-9_]{0,31}" }, label: { kind: "ref", name: "Label" }, decides: { kind: "flag" }, optional: { kind: "flag" }, type: { kind: "oneOf", values: ["text"] }, max: { kind: "int", low: 1, high: 2000 } }, optional: [] },
  Field: { kind: "tagged", tag: "type", variants: { money: "MoneyField", rate: "RateField", days: "DaysField", text: "TextField" } },
  FormEnvelope: { kind: "object", members: { envelope: { kind: "int", low: 1, high: 4294967295 }, kind: { kind: "oneOf", values: ["form"] }, name: { kind: "text", low: 1, high: 200 }, log2_chunk: { kind: "int", low: 16, high: 20 }, pt_len_max: { kind: "int", low: 65536, high: 65536 }, mode: { kind: "oneOf", values: [0, 1] }, t: { kind: "int", low: 1, high: 9 }, trustees: { kind: "items", item: { kind: "int", low: 1, high: 64 }, low: 1, high: 9 }, fields: { kind: "items", item: { kind: "ref", name: "Field" }, low: 1, high: 64 } }, optional: [] },
  BodyEnvelope: { kind: "object", members: { envelope: { kind: "int", low: 1, high: 4294967295 }, kind: { kind: "oneOf", values: ["body"] }, name: { kind: "text", low: 1, high: 200 }, log2_chunk: { kind: "int", low: 16, high: 20 }, pt_len_max: { kind: "int", low: 65536, high: 1099511627776 }, mode: { kind: "oneOf", values: [0, 1] }, t: { kind: "int", low: 1, high: 9 }, trustees: { kind: "items", item: { kind: "int", low: 1, high: 64 }, low: 1, high: 9 } }, optional: [] },
  Envelope: { kind: "tagged", tag: "kind", variants: { form: "FormEnvelope", body: "BodyEnvelope" } },
  Session: { kind: "object", members: { session: { kind: "int", low: 1, high: 8 }, envelopes: { kind: "items", item: { kind: "int", low: 1, high: 4294967295 }, low: 1, high: 16 }, window_ms: { kind: "int", low: 1, high: 604800000 }, reply_ms: { kind: "int", low: 0, high: 604800000 }, early_end: { kind: "flag" }, show_count: { kind: "flag" }, outage: { kind: "oneOf", values: ["extend", "keep"] }, outage_ms_max: { kind: "int", low: 0, high: 604800000 }, unattended: { kind: "flag" } }, optional: [] },
  Certification: { kind: "object", members: { chain: { kind: "items", item: { kind: "hex", low: 1, high: 16384 }, low: 1, high: 8 }, sig: { kind: "hex", low: 64, high: 1024 } }, optional: [] },
  Trustee: { kind: "object", members: { role: { kind: "oneOf", values: ["agency", "purchaser", "supervisor", "notary", "witness"] }, code: { kind: "ascii", pattern: "[0-9A-Z]{18}" }, organisation: { kind: "text", low: 1, high: 200 }, name: { kind: "text", low: 1, high: 200 }, envelopes: { kind: "items", item: { kind: "int", low: 1, high: 4294967295 }, low: 1, high: 16 }, expiry_ms: { kind: "int", low: 0, high: 9007199254740991 }, xpk: { kind: "hex", low: 32, high: 32 }, spk: { kind: "hex", low: 32, high: 32 }, proof: { kind: "hex", low: 64, high: 64 }, ca: { kind: "maybe", schema: { kind: "ref", name: "Certification" } } }, optional: [] },
  Officer: { kind: "object", members: { role: { kind: "oneOf", values: ["agency", "purchaser", "supervisor", "host"] }, code: { kind: "ascii", pattern: "[0-9A-Z]{18}" }, name: { kind: "text", low: 1, high: 200 }, pk: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  Log: { kind: "object", members: { origin: { kind: "ascii", pattern: "[!-*,-~]{1,128}" }, pk: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  Witness: { kind: "object", members: { name: { kind: "ascii", pattern: "[!-*,-~]{1,128}" }, pk: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  Program: { kind: "object", members: { name: { kind: "ascii", pattern: "[A-Za-z0-9._-]{1,64}" }, sha256: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  Draw: { kind: "open" },
  Manifest: { kind: "object", members: { format: { kind: "oneOf", values: [1] }, suite: { kind: "int", low: 1, high: 65535 }, demo: { kind: "flag" }, parent: { kind: "maybe", schema: { kind: "hex", low: 32, high: 32 } }, number: { kind: "text", low: 1, high: 64 }, title: { kind: "text", low: 1, high: 200 }, purchaser: { kind: "ref", name: "Party" }, agency: { kind: "ref", name: "Party" }, deadline_ms: { kind: "int", low: 0, high: 9007199254740991 }, template: { kind: "ascii", pattern: "[a-z0-9.-]{1,64}" }, min_bidders: { kind: "int", low: 1, high: 1000 }, submissions_max: { kind: "int", low: 1, high: 100 }, uncertified_allowed: { kind: "flag" }, names_masked: { kind: "flag" }, traces: { kind: "flag" }, lots: { kind: "items", item: { kind: "ref", name: "Lot" }, low: 1, high: 200 }, envelopes: { kind: "items", item: { kind: "ref", name: "Envelope" }, low: 1, high: 16 }, sessions: { kind: "items", item: { kind: "ref", name: "Session" }, low: 1, high: 8 }, trustees: { kind: "items", item: { kind: "ref", name: "Trustee" }, low: 1, high: 64 }, officers: { kind: "items", item: { kind: "ref", name: "Officer" }, low: 3, high: 32 }, host_receipt_pk: { kind: "hex", low: 32, high: 32 }, log: { kind: "ref", name: "Log" }, witnesses: { kind: "items", item: { kind: "ref", name: "Witness" }, low: 0, high: 9 }, quorum: { kind: "int", low: 0, high: 9 }, closing_bound_ms: { kind: "int", low: 0, high: 86400000 }, programs: { kind: "items", item: { kind: "ref", name: "Program" }, low: 0, high: 16 }, draws: { kind: "items", item: { kind: "ref", name: "Draw" }, low: 0, high: 0 } }, optional: [] },
  RoleSignature: { kind: "object", members: { pk: { kind: "hex", low: 32, high: 32 }, role: { kind: "oneOf", values: ["agency", "purchaser", "supervisor"] }, sig: { kind: "hex", low: 64, high: 64 } }, optional: [] },
  ManifestSignatures: { kind: "object", members: { signatures: { kind: "items", item: { kind: "ref", name: "RoleSignature" }, low: 2, high: 4 }, tender_id: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  FormFields: { kind: "open" },
  OtherEnvelope: { kind: "object", members: { bid_id: { kind: "hex", low: 32, high: 32 }, envelope: { kind: "int", low: 1, high: 4294967295 } }, optional: [] },
  Traces: { kind: "object", members: { deposit_account: { kind: "text", low: 0, high: 128 }, file_id: { kind: "text", low: 0, high: 128 }, lock_numbers: { kind: "items", item: { kind: "text", low: 0, high: 128 }, low: 0, high: 8 }, machine_code: { kind: "text", low: 0, high: 128 } }, optional: [] },
  Form: { kind: "object", members: { bidder: { kind: "ref", name: "Party" }, fields: { kind: "ref", name: "FormFields" }, format: { kind: "oneOf", values: [1] }, lot: { kind: "int", low: 0, high: 4294967295 }, others: { kind: "items", item: { kind: "ref", name: "OtherEnvelope" }, low: 0, high: 15 }, traces: { kind: "ref", name: "Traces" } }, optional: ["traces"] },
  Proof: { kind: "object", members: { entry: { kind: "hex", low: 17, high: 4096 }, slot: { kind: "int", low: 0, high: 65535 }, siblings: { kind: "items", item: { kind: "hex", low: 32, high: 32 }, low: 16, high: 16 }, tick_ms: { kind: "int", low: 0, high: 9007199254740991 }, index: { kind: "int", low: 0, high: 9007199254740991 }, size: { kind: "int", low: 1, high: 9007199254740991 }, path: { kind: "items", item: { kind: "hex", low: 32, high: 32 }, low: 0, high: 64 } }, optional: [] },
  Consistency: { kind: "object", members: { from: { kind: "int", low: 1, high: 9007199254740991 }, to: { kind: "int", low: 1, high: 9007199254740991 }, path: { kind: "items", item: { kind: "hex", low: 32, high: 32 }, low: 0, high: 64 } }, optional: [] },
  Receipt: { kind: "object", members: { ack: { kind: "hex", low: 1, high: 1024 }, checkpoint: { kind: "note", high: 2048 }, closed_path: { kind: "maybe", schema: { kind: "items", item: { kind: "hex", low: 32, high: 32 }, low: 0, high: 64 } }, message: { kind: "hex", low: 1, high: 2097152 }, proof: { kind: "ref", name: "Proof" } }, optional: [] },
  Stub: { kind: "object", members: { audience: { kind: "ascii", pattern: "hall|staff|sealed|party:[0-9A-Za-z-]{1,64}" }, epoch: { kind: "int", low: 1, high: 9007199254740991 }, seq: { kind: "int", low: 1, high: 9007199254740991 }, stream: { kind: "ascii", pattern: "registry|(tender|opening|evaluation):[a-z0-9-]{1,64}" }, ts_ms: { kind: "int", low: 0, high: 9007199254740991 }, type: { kind: "ascii", pattern: "[a-z][a-z0-9_]{0,63}" }, ver: { kind: "int", low: 1, high: 9007199254740991 } }, optional: [] },
  JournalRow: { kind: "object", members: { body: { kind: "maybe", schema: { kind: "hex", low: 0, high: 67108864 } }, body_hash: { kind: "hex", low: 32, high: 32 }, hash: { kind: "hex", low: 32, high: 32 }, prev_hash: { kind: "hex", low: 32, high: 32 }, salt: { kind: "maybe", schema: { kind: "hex", low: 16, high: 16 } }, stub: { kind: "ref", name: "Stub" } }, optional: [] },
  BundleMember: { kind: "object", members: { name: { kind: "ascii", pattern: "[a-z0-9][a-z0-9./-]{0,199}" }, sha256: { kind: "hex", low: 32, high: 32 }, size: { kind: "int", low: 0, high: 281474976710656 } }, optional: [] },
  BundleIndex: { kind: "object", members: { format: { kind: "oneOf", values: [1] }, members: { kind: "items", item: { kind: "ref", name: "BundleMember" }, low: 1, high: 524288 }, tender_id: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  ClosedList: { kind: "object", members: { submits: { kind: "items", item: { kind: "hex", low: 32, high: 32 }, low: 0, high: 65536 } }, optional: [] },
  FrozenBid: { kind: "object", members: { bid_id: { kind: "hex", low: 32, high: 32 }, form_sha256: { kind: "maybe", schema: { kind: "hex", low: 32, high: 32 } }, state: { kind: "oneOf", values: ["opened", "locked", "unrecoverable", "damaged", "malformed"] } }, optional: [] },
  Frozen: { kind: "object", members: { bids: { kind: "items", item: { kind: "ref", name: "FrozenBid" }, low: 0, high: 65536 }, nonce: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  ReadOutRow: { kind: "object", members: { bid_id: { kind: "hex", low: 32, high: 32 }, bidder: { kind: "ref", name: "Party" }, fields: { kind: "ref", name: "FormFields" }, format: { kind: "oneOf", values: [1] }, lot: { kind: "int", low: 0, high: 4294967295 }, others: { kind: "items", item: { kind: "ref", name: "OtherEnvelope" }, low: 0, high: 15 }, traces: { kind: "ref", name: "Traces" } }, optional: ["traces"] },
  ReadOut: { kind: "object", members: { format: { kind: "oneOf", values: [1] }, nonce: { kind: "hex", low: 32, high: 32 }, rows: { kind: "items", item: { kind: "ref", name: "ReadOutRow" }, low: 0, high: 65536 }, tender_id: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  Argon2id: { kind: "object", members: { memory_kib: { kind: "oneOf", values: [65536] }, passes: { kind: "oneOf", values: [3] }, salt: { kind: "hex", low: 16, high: 16 } }, optional: [] },
  KeyFile: { kind: "object", members: { argon2id: { kind: "ref", name: "Argon2id" }, box: { kind: "hex", low: 41, high: 4096 }, format: { kind: "oneOf", values: [1] }, pk: { kind: "hex", low: 32, high: 32 }, xpk: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  SiteStartEntry: { kind: "object", members: { server_ms: { kind: "int", low: 0, high: 9007199254740991 }, epoch: { kind: "int", low: 1, high: 9007199254740991 }, log_origin: { kind: "ascii", pattern: "[!-*,-~]{1,128}" }, software: { kind: "text", low: 1, high: 200 } }, optional: [] },
  TenderEntry: { kind: "object", members: { server_ms: { kind: "int", low: 0, high: 9007199254740991 }, sha256: { kind: "hex", low: 32, high: 32 }, size: { kind: "int", low: 0, high: 9007199254740991 }, signatures: { kind: "items", item: { kind: "ref", name: "RoleSignature" }, low: 2, high: 4 }, tender_id: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  Invitation: { kind: "object", members: { kind: { kind: "oneOf", values: ["invitation"] }, pk: { kind: "hex", low: 32, high: 32 }, sig: { kind: "hex", low: 64, high: 64 } }, optional: [] },
  CertificateBinding: { kind: "object", members: { kind: { kind: "oneOf", values: ["certificate"] }, chain_sha256: { kind: "hex", low: 32, high: 32 }, sig: { kind: "hex", low: 64, high: 1024 } }, optional: [] },
  Binding: { kind: "tagged", tag: "kind", variants: { invitation: "Invitation", certificate: "CertificateBinding" } },
  BidderRegEntry: { kind: "object", members: { server_ms: { kind: "int", low: 0, high: 9007199254740991 }, bidder_pk: { kind: "hex", low: 32, high: 32 }, bidder_xpk: { kind: "hex", low: 32, high: 32 }, org_sha256: { kind: "hex", low: 32, high: 32 }, expiry_ms: { kind: "int", low: 0, high: 9007199254740991 }, sig: { kind: "hex", low: 64, high: 64 }, binding: { kind: "ref", name: "Binding" }, tender_id: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  ActSignature: { kind: "object", members: { pk: { kind: "hex", low: 32, high: 32 }, sig: { kind: "hex", low: 64, high: 64 } }, optional: [] },
  DeadlineChangeEntry: { kind: "object", members: { server_ms: { kind: "int", low: 0, high: 9007199254740991 }, old_ms: { kind: "int", low: 0, high: 9007199254740991 }, deadline_ms: { kind: "int", low: 0, high: 9007199254740991 }, reason: { kind: "text", low: 1, high: 500 }, sigs: { kind: "items", item: { kind: "ref", name: "ActSignature" }, low: 1, high: 8 }, tender_id: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  SubmitEntry: { kind: "object", members: { server_ms: { kind: "int", low: 0, high: 9007199254740991 }, kind: { kind: "oneOf", values: [1, 2] }, result: { kind: "int", low: 0, high: 5 }, sha256: { kind: "hex", low: 32, high: 32 }, size: { kind: "int", low: 0, high: 9007199254740991 }, received_ms: { kind: "int", low: 0, high: 9007199254740991 }, tender_id: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  DeadlineClosedEntry: { kind: "object", members: { server_ms: { kind: "int", low: 0, high: 9007199254740991 }, deadline_ms: { kind: "int", low: 0, high: 9007199254740991 }, count: { kind: "int", low: 0, high: 9007199254740991 }, list_root: { kind: "hex", low: 32, high: 32 }, tender_id: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  StoreCheckEntry: { kind: "object", members: { server_ms: { kind: "int", low: 0, high: 9007199254740991 }, checked: { kind: "int", low: 0, high: 9007199254740991 }, damaged: { kind: "items", item: { kind: "hex", low: 32, high: 32 }, low: 0, high: 50 }, tender_id: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  OpeningStartEntry: { kind: "object", members: { server_ms: { kind: "int", low: 0, high: 9007199254740991 }, session: { kind: "int", low: 1, high: 8 }, envelope: { kind: "int", low: 1, high: 4294967295 }, w: { kind: "int", low: 1, high: 4294967295 }, nonce: { kind: "hex", low: 32, high: 32 }, start_ms: { kind: "int", low: 0, high: 9007199254740991 }, end_ms: { kind: "int", low: 0, high: 9007199254740991 }, tender_id: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  WindowChangeEntry: { kind: "object", members: { server_ms: { kind: "int", low: 0, high: 9007199254740991 }, nonce: { kind: "hex", low: 32, high: 32 }, change: { kind: "oneOf", values: ["pause", "resume", "extend"] }, end_ms: { kind: "int", low: 0, high: 9007199254740991 }, remaining_ms: { kind: "maybe", schema: { kind: "int", low: 0, high: 9007199254740991 } }, reason: { kind: "text", low: 1, high: 500 }, tender_id: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  UnlockEntry: { kind: "object", members: { server_ms: { kind: "int", low: 0, high: 9007199254740991 }, nonce: { kind: "hex", low: 32, high: 32 }, by: { kind: "oneOf", values: ["key", "card"] }, result: { kind: "int", low: 0, high: 5 }, sha256: { kind: "hex", low: 32, high: 32 }, size: { kind: "int", low: 0, high: 9007199254740991 }, received_ms: { kind: "int", low: 0, high: 9007199254740991 }, tender_id: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  AttemptEntry: { kind: "object", members: { server_ms: { kind: "int", low: 0, high: 9007199254740991 }, nonce: { kind: "hex", low: 32, high: 32 }, bid_id: { kind: "hex", low: 32, high: 32 }, code: { kind: "ascii", pattern: "[a-z_]{1,32}\\.[a-z_]{1,32}" }, sha256: { kind: "hex", low: 32, high: 32 }, received_ms: { kind: "int", low: 0, high: 9007199254740991 }, tender_id: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  WindowEndEntry: { kind: "object", members: { server_ms: { kind: "int", low: 0, high: 9007199254740991 }, nonce: { kind: "hex", low: 32, high: 32 }, end_ms: { kind: "int", low: 0, high: 9007199254740991 }, early: { kind: "flag" }, unlocked: { kind: "int", low: 0, high: 9007199254740991 }, tender_id: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  ReleaseEntry: { kind: "object", members: { server_ms: { kind: "int", low: 0, high: 9007199254740991 }, nonce: { kind: "hex", low: 32, high: 32 }, i: { kind: "int", low: 1, high: 9 }, mode: { kind: "oneOf", values: [0, 1] }, sha256: { kind: "hex", low: 32, high: 32 }, size: { kind: "int", low: 0, high: 9007199254740991 }, received_ms: { kind: "int", low: 0, high: 9007199254740991 }, tender_id: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  SelfReleaseEntry: { kind: "object", members: { server_ms: { kind: "int", low: 0, high: 9007199254740991 }, nonce: { kind: "hex", low: 32, high: 32 }, bid_id: { kind: "hex", low: 32, high: 32 }, sha256: { kind: "hex", low: 32, high: 32 }, received_ms: { kind: "int", low: 0, high: 9007199254740991 }, tender_id: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  TrusteesLostEntry: { kind: "object", members: { server_ms: { kind: "int", low: 0, high: 9007199254740991 }, nonce: { kind: "hex", low: 32, high: 32 }, reason: { kind: "text", low: 1, high: 500 }, sigs: { kind: "items", item: { kind: "ref", name: "ActSignature" }, low: 1, high: 8 }, tender_id: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  RepairEntry: { kind: "object", members: { server_ms: { kind: "int", low: 0, high: 9007199254740991 }, bid_id: { kind: "hex", low: 32, high: 32 }, ct_root: { kind: "hex", low: 32, high: 32 }, tender_id: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  ReplyEndEntry: { kind: "object", members: { server_ms: { kind: "int", low: 0, high: 9007199254740991 }, nonce: { kind: "hex", low: 32, high: 32 }, tender_id: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  TrusteeFaultEntry: { kind: "object", members: { server_ms: { kind: "int", low: 0, high: 9007199254740991 }, nonce: { kind: "hex", low: 32, high: 32 }, i: { kind: "int", low: 1, high: 9 }, bid_id: { kind: "maybe", schema: { kind: "hex", low: 32, high: 32 } }, fault: { kind: "oneOf", values: ["share", "unreadable", "second"] }, sha256: { kind: "hex", low: 32, high: 32 }, tender_id: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  SetFrozenEntry: { kind: "object", members: { server_ms: { kind: "int", low: 0, high: 9007199254740991 }, nonce: { kind: "hex", low: 32, high: 32 }, sha256: { kind: "hex", low: 32, high: 32 }, size: { kind: "int", low: 0, high: 9007199254740991 }, tender_id: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  ReadOutEntry: { kind: "object", members: { server_ms: { kind: "int", low: 0, high: 9007199254740991 }, nonce: { kind: "hex", low: 32, high: 32 }, sha256: { kind: "hex", low: 32, high: 32 }, size: { kind: "int", low: 0, high: 9007199254740991 }, tender_id: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  BodyStateEntry: { kind: "object", members: { server_ms: { kind: "int", low: 0, high: 9007199254740991 }, bid_id: { kind: "hex", low: 32, high: 32 }, state: { kind: "oneOf", values: ["opened", "locked", "unrecoverable", "damaged", "malformed"] }, tender_id: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  StateDecidedEntry: { kind: "object", members: { server_ms: { kind: "int", low: 0, high: 9007199254740991 }, bid_id: { kind: "hex", low: 32, high: 32 }, proposed: { kind: "oneOf", values: ["revoked", "excused", "malformed"] }, ground: { kind: "oneOf", values: ["revoked", "excused", "malformed"] }, reason: { kind: "text", low: 1, high: 500 }, sigs: { kind: "items", item: { kind: "ref", name: "ActSignature" }, low: 1, high: 8 }, tender_id: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  ObjectionEntry: { kind: "object", members: { server_ms: { kind: "int", low: 0, high: 9007199254740991 }, sha256: { kind: "hex", low: 32, high: 32 }, size: { kind: "int", low: 0, high: 9007199254740991 }, tender_id: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  ReplyEntry: { kind: "object", members: { server_ms: { kind: "int", low: 0, high: 9007199254740991 }, sha256: { kind: "hex", low: 32, high: 32 }, size: { kind: "int", low: 0, high: 9007199254740991 }, of: { kind: "hex", low: 32, high: 32 }, tender_id: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  RecordSignedEntry: { kind: "object", members: { server_ms: { kind: "int", low: 0, high: 9007199254740991 }, sha256: { kind: "hex", low: 32, high: 32 }, size: { kind: "int", low: 0, high: 9007199254740991 }, root: { kind: "hex", low: 32, high: 32 }, refused: { kind: "flag" }, reason: { kind: "text", low: 0, high: 500 }, tender_id: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  HeadEntry: { kind: "object", members: { server_ms: { kind: "int", low: 0, high: 9007199254740991 }, stream: { kind: "ascii", pattern: "registry|(tender|opening|evaluation):[a-z0-9-]{1,64}" }, seq: { kind: "int", low: 1, high: 9007199254740991 }, hash: { kind: "hex", low: 32, high: 32 } }, optional: [] },
  OperatorActionEntry: { kind: "object", members: { server_ms: { kind: "int", low: 0, high: 9007199254740991 }, action: { kind: "ascii", pattern: "[a-z_.]{1,64}" }, actor: { kind: "text", low: 1, high: 200 }, sha256: { kind: "hex", low: 32, high: 32 } }, optional: [] },
};

export const DOCUMENTS = {
  Manifest: { schema: { kind: "ref", name: "Manifest" }, sizeMax: 262144, depthMax: 8 },
  ManifestSignatures: { schema: { kind: "ref", name: "ManifestSignatures" }, sizeMax: 4096, depthMax: 3 },
  Form: { schema: { kind: "ref", name: "Form" }, sizeMax: 60000, depthMax: 4 },
  Proof: { schema: { kind: "ref", name: "Proof" }, sizeMax: 32768, depthMax: 2 },
  Consistencies: { schema: { kind: "items", item: { kind: "ref", name: "Consistency" }, low: 0, high: 4096 }, sizeMax: 1048576, depthMax: 3 },
  Receipt: { schema: { kind: "ref", name: "Receipt" }, sizeMax: 4325376, depthMax: 3 },
  Stub: { schema: { kind: "ref", name: "Stub" }, sizeMax: 1024, depthMax: 1 },
  JournalRow: { schema: { kind: "ref", name: "JournalRow" }, sizeMax: 134221824, depthMax: 2 },
  BundleIndex: { schema: { kind: "ref", name: "BundleIndex" }, sizeMax: 134217728, depthMax: 3 },
  ClosedList: { schema: { kind: "ref", name: "ClosedList" }, sizeMax: 8388608, depthMax: 2 },
  Frozen: { schema: { kind: "ref", name: "Frozen" }, sizeMax: 16777216, depthMax: 3 },
  ReadOut: { schema: { kind: "ref", name: "ReadOut" }, sizeMax: 268435456, depthMax: 5 },
  KeyFile: { schema: { kind: "ref", name: "KeyFile" }, sizeMax: 16384, depthMax: 2 },
} as const satisfies Record<string, DocumentLimits>;

export const ENTRY_TYPE = {
  SITE_START: 1,
  TENDER: 2,
  BIDDER_REG: 3,
  DEADLINE_CHANGE: 4,
  SUBMIT: 5,
  DEADLINE_CLOSED: 6,
  STORE_CHECK: 7,
  OPENING_START: 8,
  WINDOW_CHANGE: 9,
  UNLOCK: 10,
  ATTEMPT: 11,
  WINDOW_END: 12,
  RELEASE: 13,
  SELF_RELEASE: 14,
  TRUSTEES_LOST: 15,
  REPAIR: 16,
  REPLY_END: 17,
  TRUSTEE_FAULT: 18,
  SET_FROZEN: 19,
  READ_OUT: 20,
  BODY_STATE: 21,
  STATE_DECIDED: 22,
  OBJECTION: 23,
  REPLY: 24,
  RECORD_SIGNED: 25,
  HEAD: 30,
  OPERATOR_ACTION: 31,
} as const;

/** Entry type to the name of its object. */
export const ENTRY_OBJECTS: Readonly<Record<number, string>> = {
  1: "SiteStartEntry",
  2: "TenderEntry",
  3: "BidderRegEntry",
  4: "DeadlineChangeEntry",
  5: "SubmitEntry",
  6: "DeadlineClosedEntry",
  7: "StoreCheckEntry",
  8: "OpeningStartEntry",
  9: "WindowChangeEntry",
  10: "UnlockEntry",
  11: "AttemptEntry",
  12: "WindowEndEntry",
  13: "ReleaseEntry",
  14: "SelfReleaseEntry",
  15: "TrusteesLostEntry",
  16: "RepairEntry",
  17: "ReplyEndEntry",
  18: "TrusteeFaultEntry",
  19: "SetFrozenEntry",
  20: "ReadOutEntry",
  21: "BodyStateEntry",
  22: "StateDecidedEntry",
  23: "ObjectionEntry",
  24: "ReplyEntry",
  25: "RecordSignedEntry",
  30: "HeadEntry",
  31: "OperatorActionEntry",
};

/**
 * What a text may hold: Unicode 14.0.0 and CJK extensions H and I, without
 * controls, private use and invisible characters. Base-36 distances between the code
 * points where the verdict changes; below the first is refused.
 */
export const ALLOWED_CODE_POINTS =
  "w 2n x k8 2 6 4 7 1 1 1 k 1 b1 1 12 2 1e 2 3 1 1j 8 r 4 6 b 7i 1 1o 2 2t e 1n 2 1d 2 f 1 s 2 1 1 b 5 v 1 2 6 6k 1 8 2 2 2 m 1 7 1 1 3 4 2 9 2 2 2 4 8 1 4 2 1 5 2 p 2 3 1 6 4 2 2 m 1 7 1 2 1 2 1 2 2 1 1 5 4 2 2 3 3 1 7 4 1 1 7 h a 3 1 9 1 3 1 m 1 7 1 2 1 5 2 a 1 3 1 3 2 1 f 4 2 c 7 7 1 3 1 8 2 2 2 m 1 7 1 2 1 5 2 9 2 2 2 3 7 3 4 2 1 5 2 i a 2 1 6 3 3 1 4 3 2 1 1 1 2 3 2 3 3 3 c 4 5 3 3 1 4 2 1 6 1 e l 5 d 1 3 1 n 1 g 2 9 1 3 1 4 7 2 1 3 2 1 2 4 2 a 7 m 1 3 1 n 1 a 1 5 2 9 1 3 1 4 7 2 6 2 1 4 2 a 1 2 d d 1 3 1 1f 1 3 1 6 4 g 2 q 1 3 1 i 3 o 1 9 1 1 2 7 3 1 4 6 1 1 1 8 6 a 2 3 c 1m 4 t 11 2 1 1 1 5 1 o 1 1 1 n 2 5 1 1 1 6 2 a 2 4 w 20 1 10 4 13 1 10 1 f 1 d 11 5i 1 1 5 1 2 ah 1 4 2 7 1 1 1 4 2 15 1 4 2 x 1 4 2 7 1 1 1 4 2 f 1 1l 1 4 2 1v 2 w 3 q 6 2e 2 6 2 il 3 2h 7 m 9 o 9 k c d 1 3 1 2 c 2m 2 a 6 a 6 q 6 2h 7 17 5 1y a v 1 c 4 c 4 1 3 16 2 5 b 18 4 q 6 b 3 1q 2 1t 1 t 2 b 6 a 6 e 2 v 1d 25 3 1b 1 38 8 1o 3 f 3 1o 7 17 2 b 8 17 5 eu 2 6 2 12 2 6 2 8 1 1 1 1 1 1 1 v 2 1h 1 f 1 e 2 6 1 j 2 3 1 9 1 b 5 q 5 1d g 2 2 r 1 d 3 x f x f 3w 4 if p b l 1ec 2 w 1 9p 5 19 1 1 5 1 2 1k 7 2 e o 9 7 1 7 1 7 1 7 1 7 1 7 1 7 1 7 1 3i y q 1 2h c 5y q c 4 1s 1 2e 2 2v 5 17 1 2m 1 2c c 1b 1 mlp 3 1j 9 9o k 54 8 5n 5 2 1 1 1 5 o 1n 3 a 6 1k 8 1y 8 c 6 38 b u 3 26 1 b 4 x 1 1j 9 e 2 a 2 2v o s a 6 2 6 2 6 9 7 1 7 1 1o 4 3i 2 a 6 8mc c n 4 1d 6is a6 2 2y 12 7 c 5 5 q 1 5 1 1 1 2 1 2 1 3h g cd 2 1i 7 1 w 16 6 1f 1 j 1 4 4 5 1 3r 4 5a 3 6 2 6 2 6 2 3 3 7 1 7 a 5 2 c 1 q 1 j 1 2 1 f 2 e y 3f 5 3 4 19 3 2g 1 d 3 1 1b 1a 3m t 3 1d f s 4 10 9 u 5 17 5 u 1 11 4 e 16 4e 2 a 6 10 4 10 4 14 8 1g b c 1 f 1 7 1 2 1 b 1 f 1 7 1 2 1v 8n 9 m a 8 o 6 1 16 1 9 1x 6 2 1 1 18 1 2 3 1 2 n 1 20 8 9 1c j 1 2 5 x 3 r 5 1 1s 1k 4 k 2 1e 1 2 5 8 1 3 1 t 2 3 4 a 7 9 7 1s w 13 4 c 9 1i 3 t 2 r 5 q 7 4 c 7 28 21 1j 1f d 1f 7 1a 8 a 86 v 1 16 1 3 2 2 26 14 8 16 m q 12 s k n 9 26 4 10 9 1w a 1 2 p 7 a 6 1h 1 i 8 13 9 2o 1 k b i 1 18 1t 7 1 1 1 4 1 f 1 b 6 1n 5 a 6 4 1 8 2 2 2 m 1 7 1 2 1 5 1 a 2 2 2 3 2 1 6 1 5 7 2 7 3 5 3v 2k 1 5 u 20 8 a 4m 1i 2 12 y 1x b a 6 d j 1m 6 a 1i r 2 f 4 n 55 1o 2s 2b c 8 2 1 2 8 1 2 1 u 1 2 2 c 9 a 1y 8 2 1a 2 b r 20 8 2b d 21 7b 9 1 19 1 e a t 3 w 2 m 1 e 21 7 1 2 1 18 3 1 1 2 1 9 8 a 6 6 1 2 1 11 1 2 1 6 7 a 8m p 53 1 f 1e d pn 2u 33 1 5 b 5g 218 2r d tr 1 9 347 g7 6nt ft 7 v 1 a 4 29 1 a 6 u 2 6 a 1y a a 1 7 1 l 5 j j4 2j 2t 23 4 1l 7 h 1s 5 b 2 e 4qg 8 ye 16 9 6w7 4 1 7 1 2 1 83 19 3 h 4 8 b0 1s4 2z 5 d 3 9 7 a 2 8 3mk 1a 2 n 9 38 1o 6u a 13 2 5e l 1y 4a k c 2f 9 p 3r 2d 1 1z 1 2 2 1 2 2 2 4 1 c 1 1 1 7 1 1t 1 4 2 8 1 7 1 s 1 4 1 5 1 1 3 7 1 9g 2 84 2 ji f 5 1 f uo v 69 7 1 h 2 7 1 2 1 5 5x 19 3 e 2 a 4 2 8w v h 1m 5 1 yo 7 1 4 1 2 1 f 1 5h 2 g 15 24 4 a 4 2 lt 1w 24 1p 5e 4 1 r 1 2 1 1 2 1 1 a 1 4 1 1 1 1 6 1 4 1 1 1 1 1 1 3 1 2 1 1 2 1 1 1 1 1 1 1 1 1 1 2 1 1 2 4 1 7 1 4 1 4 1 1 1 a 1 h 5 3 1 5 1 h 1g 2 7i 18 4 2s c f 2 f 1 f 1 11 a 4u 1k t d 18 4 9 7 2 e 6 4a rc 5 g 3 d 3 38 c 2h 7 c 4 1 f c 4 1k 8 a 6 14 8 u 2 2 26 9g c e 2 5 3 5 3 7 9 t 3 b 5 6 a a 6 8 8 7 9 43 1 1j 11 a sm wyo w 37d 7 66 2 4g2 e 5rl f ha 1wi f2 15u 3t7 5 38g f975 1 u 2o 3k 6o";
