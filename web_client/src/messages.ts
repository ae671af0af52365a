// Written by web_client/tools/make_messages.py from server/domain. Do not edit.

export type Role =
  | "host"
  | "supervisor"
  | "purchaser"
  | "trustee"
  | "witness"
  | "bidder"
  | "expert"
  | "viewer"
  | "system";

export type Stage =
  | "scheduled"
  | "sign_in"
  | "announced"
  | "decryption"
  | "release"
  | "replies"
  | "opening"
  | "read_out"
  | "closed"
  | "failed";

export type MeetingStage = "scheduled" | "running" | "closed";

export type Audience = "hall" | "staff" | "party";

/** May the same request succeed later? */
export const REFUSALS = {
  "act.officer": { retryable: false },
  "act.same_officer": { retryable: false },
  "act.signature": { retryable: false },
  "act.stale": { retryable: false },
  "act.unknown": { retryable: false },
  "auth.challenge_unknown": { retryable: true },
  "auth.key_unknown": { retryable: false },
  "auth.required": { retryable: false },
  "auth.role": { retryable: false },
  "auth.signature": { retryable: false },
  "auth.ticket_stale": { retryable: true },
  "bid.ad_seen": { retryable: false },
  "bid.ct_root": { retryable: false },
  "bid.incomplete": { retryable: true },
  "bid.late": { retryable: false },
  "bid.not_registered": { retryable: false },
  "bid.not_sealed": { retryable: false },
  "bid.not_yours": { retryable: false },
  "bid.unknown": { retryable: false },
  "bundle.not_ready": { retryable: true },
  "call.exists": { retryable: false },
  "call.not_yours": { retryable: false },
  "call.target_unknown": { retryable: false },
  "call.too_many": { retryable: false },
  "call.unknown": { retryable: false },
  "channel.not_yours": { retryable: false },
  "command.arguments": { retryable: false },
  "command.id": { retryable: false },
  "command.stage": { retryable: false },
  "command.too_many": { retryable: true },
  "command.unknown": { retryable: false },
  "deadline.not_later": { retryable: false },
  "deadline.past": { retryable: false },
  "deadline.signatures": { retryable: false },
  "deadline.trustee_expiry": { retryable: false },
  "floor.full": { retryable: false },
  "floor.names_masked": { retryable: false },
  "floor.person_unknown": { retryable: false },
  "floor.stage_full": { retryable: false },
  "ground.decided": { retryable: false },
  "ground.unknown": { retryable: false },
  "ground.unlawful": { retryable: false },
  "meeting.exists": { retryable: false },
  "meeting.id": { retryable: false },
  "meeting.main_venue": { retryable: false },
  "meeting.name_twice": { retryable: false },
  "meeting.person_twice": { retryable: false },
  "meeting.person_unknown": { retryable: false },
  "meeting.role": { retryable: false },
  "meeting.seats": { retryable: false },
  "meeting.text": { retryable: false },
  "opening.not_ready": { retryable: false },
  "person.key_taken": { retryable: false },
  "query.malformed": { retryable: false },
  "reason.missing": { retryable: false },
  "recording.removed": { retryable: false },
  "recording.report": { retryable: false },
  "recording.segment": { retryable: false },
  "recording.too_many": { retryable: false },
  "recording.unknown": { retryable: false },
  "registration.closed": { retryable: false },
  "registration.exists": { retryable: false },
  "registration.expiry": { retryable: false },
  "registration.key_taken": { retryable: false },
  "registration.keys": { retryable: false },
  "registration.not_invited": { retryable: false },
  "registration.signature": { retryable: false },
  "release.checkpoint": { retryable: true },
  "release.envelopes": { retryable: false },
  "release.mode": { retryable: false },
  "release.nonce": { retryable: false },
  "release.second": { retryable: false },
  "release.set": { retryable: false },
  "release.signature": { retryable: false },
  "release.trustee": { retryable: false },
  "release.window": { retryable: false },
  "repair.ct_root": { retryable: false },
  "repair.not_damaged": { retryable: false },
  "repair.not_open": { retryable: false },
  "reply.not_open": { retryable: false },
  "room.busy": { retryable: true },
  "room.stopped": { retryable: true },
  "room.unknown": { retryable: false },
  "row.unknown": { retryable: false },
  "self_release.bid_unknown": { retryable: false },
  "self_release.half": { retryable: false },
  "self_release.not_open": { retryable: false },
  "server.trouble": { retryable: true },
  "sign_in.not_open": { retryable: false },
  "site.rooms_full": { retryable: false },
  "submit.envelopes": { retryable: false },
  "submit.listed_before": { retryable: false },
  "submit.mismatch": { retryable: false },
  "submit.prev": { retryable: false },
  "submit.seq": { retryable: false },
  "submit.signature": { retryable: false },
  "submit.too_many": { retryable: false },
  "tender.exists": { retryable: false },
  "tender.unknown": { retryable: false },
  "unlock.already": { retryable: false },
  "unlock.before_window": { retryable: true },
  "unlock.bid_unknown": { retryable: false },
  "unlock.envelope": { retryable: false },
  "unlock.key_mismatch": { retryable: false },
  "unlock.lot_failed": { retryable: false },
  "unlock.nonce": { retryable: false },
  "unlock.not_yours": { retryable: false },
  "unlock.rate": { retryable: true },
  "unlock.set": { retryable: false },
  "unlock.signature": { retryable: false },
  "unlock.window_closed": { retryable: false },
  "upload.busy": { retryable: true },
  "upload.core": { retryable: false },
  "upload.length": { retryable: false },
  "upload.offset": { retryable: true },
  "upload.slow": { retryable: true },
  "upload.storage_full": { retryable: true },
  "upload.too_large": { retryable: false },
  "upload.too_many": { retryable: true },
  "upload.unknown": { retryable: false },
  "window.all_unlocked": { retryable: false },
  "window.extension": { retryable: false },
  "window.final": { retryable: false },
  "window.not_closing_checkpoint": { retryable: true },
  "window.not_paused": { retryable: false },
  "window.not_running": { retryable: false },
  "window.paused": { retryable: false },
  "window.running": { retryable: false },
  "window.session_done": { retryable: false },
  "window.session_unknown": { retryable: false },
} as const;

export type RefusalCode = keyof typeof REFUSALS;

export interface AnnouncedBid {
  readonly no: number;
  readonly lot: number;
  readonly org: string;
  readonly name: string;
  readonly certified: boolean;
  readonly envelopes: readonly EnvelopeOf[];
}

export interface Nonce {
  readonly envelope: number;
  readonly nonce: Uint8Array;
}

export interface Suggestion {
  readonly no: number;
  readonly envelope: number;
  readonly bid_id: Uint8Array;
  readonly state: string;
  readonly ground: string;
  readonly why: string;
  readonly tries: number;
  readonly last_code: string;
  readonly last_ms: number;
  readonly lost_ms: number;
}

export interface CallTo {
  readonly kind: string;
  readonly id?: string;
}

export interface Venue {
  readonly venue: string;
  readonly name: string;
  readonly is_main: boolean;
  readonly cameras: readonly string[];
  readonly seats: readonly Seat[];
}

export interface Attendant {
  readonly person: string;
  readonly name: string;
}

export interface EnvelopeOf {
  readonly envelope: number;
  readonly bid_id: Uint8Array;
}

export interface Seat {
  readonly seat: string;
  readonly person: string;
  readonly name: string;
}

export interface PersonRegistered {
  readonly org: string;
  readonly person: string;
  readonly role: Role;
  readonly name: string;
  readonly org_name: string;
  readonly login_pk: Uint8Array;
}

/** Payloads of room `registry`, by journal type. */
export interface RegistryEvents {
  readonly person_registered: PersonRegistered;
}

/** Which channel carries each event of room `registry`. */
export const REGISTRY_AUDIENCES: Record<keyof RegistryEvents, Audience> = {
  person_registered: "party",
};

export interface TenderPublished {
  readonly manifest: Uint8Array;
  readonly signatures: Uint8Array;
}

export interface BidderRegistered {
  readonly org: string;
  readonly name: string;
  readonly bidder_pk: Uint8Array;
  readonly bidder_xpk: Uint8Array;
  readonly expiry_ms: number;
  readonly sig: Uint8Array;
  readonly binding_kind: string;
  readonly binding_pk: Uint8Array;
  readonly binding_sig: Uint8Array;
  readonly chain_sha256?: Uint8Array;
}

export interface EnvelopeStored {
  readonly org: string;
  readonly header: Uint8Array;
}

export interface SubmitReceived {
  readonly org: string;
  readonly message: Uint8Array;
  readonly kind: number;
  readonly result: number;
  readonly received_ms: number;
}

export interface DeadlineChanged {
  readonly old_ms: number;
  readonly deadline_ms: number;
  readonly reason: string;
  readonly pks: readonly Uint8Array[];
  readonly sigs: readonly Uint8Array[];
}

export interface DeadlineProposed {
  readonly act: Uint8Array;
  readonly by: string;
  readonly person: string;
  readonly name: string;
  readonly reason: string;
  readonly pk: Uint8Array;
  readonly sig: Uint8Array;
  readonly old_ms: number;
  readonly deadline_ms: number;
}

export interface DeadlineDeclined {
  readonly act: Uint8Array;
  readonly by: string;
  readonly name: string;
  readonly reason: string;
}

export interface BiddingClosed {
  readonly deadline_ms: number;
  readonly count: number;
  readonly list_root: Uint8Array;
}

export interface StoreChecked {
  readonly checked: number;
  readonly damaged: readonly Uint8Array[];
}

/** Payloads of room `tender`, by journal type. */
export interface TenderEvents {
  readonly tender_published: TenderPublished;
  readonly bidder_registered: BidderRegistered;
  readonly envelope_stored: EnvelopeStored;
  readonly submit_received: SubmitReceived;
  readonly deadline_changed: DeadlineChanged;
  readonly deadline_proposed: DeadlineProposed;
  readonly deadline_declined: DeadlineDeclined;
  readonly bidding_closed: BiddingClosed;
  readonly store_checked: StoreChecked;
}

/** Which channel carries each event of room `tender`. */
export const TENDER_AUDIENCES: Record<keyof TenderEvents, Audience> = {
  tender_published: "hall",
  bidder_registered: "party",
  envelope_stored: "party",
  submit_received: "party",
  deadline_changed: "hall",
  deadline_proposed: "staff",
  deadline_declined: "staff",
  bidding_closed: "hall",
  store_checked: "staff",
};

export interface OpeningScheduled {
  readonly manifest: Uint8Array;
}

export type SignInOpened = Readonly<Record<string, never>>;

export interface BidderSignedIn {
  readonly org: string;
  readonly at_ms: number;
}

export interface BiddersListed {
  readonly bids: readonly AnnouncedBid[];
}

export interface BiddersAnnounced {
  readonly deadline_ms: number;
  readonly count: number;
  readonly list_root: Uint8Array;
  readonly bids: readonly AnnouncedBid[];
}

export interface SignedInBidders {
  readonly orgs: readonly string[];
}

export interface LatecomerSignedIn {
  readonly org: string;
  readonly at_ms: number;
}

export interface DeadlineMoved {
  readonly deadline_ms: number;
}

export interface OpeningFailed {
  readonly reason: string;
}

export interface LotFailed {
  readonly lot: number;
  readonly bidders: number;
}

export interface CheckpointReached {
  readonly of: string;
  readonly w: number;
  readonly session: number;
  readonly checkpoint: string;
  readonly fingerprint: string;
}

export interface WindowOpened {
  readonly session: number;
  readonly w: number;
  readonly nonces: readonly Nonce[];
  readonly start_ms: number;
  readonly end_ms: number;
  readonly reason?: string;
}

export interface WindowChanged {
  readonly change: string;
  readonly end_ms: number;
  readonly remaining_ms: number;
  readonly reason: string;
  readonly nonces: readonly Uint8Array[];
}

export interface OutageSeen {
  readonly from_ms: number;
  readonly to_ms: number;
  readonly lost_ms: number;
}

export interface BidUnlocked {
  readonly no: number;
  readonly envelopes: readonly number[];
  readonly by: string;
  readonly received_ms: number;
}

export interface OwnBidUnlocked {
  readonly org: string;
  readonly no: number;
  readonly envelopes: readonly number[];
  readonly by: string;
  readonly received_ms: number;
}

export interface AttemptFailed {
  readonly org: string;
  readonly no: number;
  readonly bid_id: Uint8Array;
  readonly nonce: Uint8Array;
  readonly code: string;
  readonly sha256: Uint8Array;
  readonly received_ms: number;
  readonly kind?: number;
}

export interface AttemptSeen {
  readonly no: number;
  readonly code: string;
  readonly received_ms: number;
}

export interface WindowEnded {
  readonly session: number;
  readonly w: number;
  readonly nonces: readonly Uint8Array[];
  readonly end_ms: number;
  readonly early: boolean;
  readonly unlocked: readonly number[];
  readonly locked: readonly number[];
}

export interface TrusteeReleased {
  readonly i: number;
  readonly role: string;
  readonly name: string;
  readonly received_ms: number;
  readonly needed: number;
  readonly released: number;
}

export interface TrusteesLost {
  readonly nonce: Uint8Array;
  readonly reason: string;
  readonly pks: readonly Uint8Array[];
  readonly sigs: readonly Uint8Array[];
}

export interface TrusteeFaultFound {
  readonly i: number;
  readonly envelope: number;
  readonly nonce: Uint8Array;
  readonly bid_id: Uint8Array;
  readonly fault: string;
  readonly sha256: Uint8Array;
}

export interface RepliesEnded {
  readonly by: string;
  readonly nonces: readonly Uint8Array[];
}

export interface AllOpened {
  readonly by: string;
}

export interface DocumentPart {
  readonly nonce: Uint8Array;
  readonly of: string;
  readonly part: number;
  readonly raw: Uint8Array;
}

export interface SetFrozen {
  readonly nonce: Uint8Array;
  readonly frozen: Uint8Array;
  readonly whole_sha256?: Uint8Array;
  readonly whole_size?: number;
}

export interface PricesReadOut {
  readonly nonce: Uint8Array;
  readonly readout: Uint8Array;
  readonly amounts: Readonly<Record<number, string>>;
  readonly whole_sha256?: Uint8Array;
  readonly whole_size?: number;
}

export interface RowRead {
  readonly no: number;
}

export interface BodyDecided {
  readonly no: number;
  readonly envelope: number;
  readonly bid_id: Uint8Array;
  readonly state: string;
  readonly releases?: readonly number[];
}

export type OpeningClosed = Readonly<Record<string, never>>;

export interface GroundsSuggested {
  readonly bids: readonly Suggestion[];
}

export interface GroundProposed {
  readonly act: Uint8Array;
  readonly by: string;
  readonly person: string;
  readonly name: string;
  readonly reason: string;
  readonly pk: Uint8Array;
  readonly sig: Uint8Array;
  readonly no: number;
  readonly envelope: number;
  readonly bid_id: Uint8Array;
  readonly suggested: string;
  readonly ground: string;
}

export interface TrusteesLostProposed {
  readonly act: Uint8Array;
  readonly by: string;
  readonly person: string;
  readonly name: string;
  readonly reason: string;
  readonly pk: Uint8Array;
  readonly sig: Uint8Array;
  readonly nonce: Uint8Array;
}

export interface ActDeclined {
  readonly act: Uint8Array;
  readonly by: string;
  readonly name: string;
  readonly reason: string;
}

export interface GroundDecided {
  readonly no: number;
  readonly envelope: number;
  readonly bid_id: Uint8Array;
  readonly suggested: string;
  readonly ground: string;
  readonly reason: string;
  readonly pks: readonly Uint8Array[];
  readonly sigs: readonly Uint8Array[];
}

export interface DamageFound {
  readonly bid_ids: readonly Uint8Array[];
}

export interface BidRepaired {
  readonly no: number;
  readonly envelope: number;
  readonly bid_id: Uint8Array;
  readonly ct_root: Uint8Array;
}

export interface StageTaken {
  readonly person: string;
  readonly name: string;
  readonly org: string;
  readonly reason: string;
}

export interface StageLeft {
  readonly person: string;
  readonly reason: string;
}

export interface Held {
  readonly person: string;
}

export interface ReleasedFromHold {
  readonly person: string;
}

export interface Muted {
  readonly person: string;
  readonly label: string;
}

export interface Unmuted {
  readonly person: string;
  readonly label: string;
}

export interface CallBegan {
  readonly call: string;
  readonly person: string;
  readonly to: CallTo;
}

export interface CallEnded {
  readonly call: string;
  readonly person: string;
}

export interface RecordingBegan {
  readonly recording: string;
}

export interface SegmentSealed {
  readonly recording: string;
  readonly to_staff?: boolean;
  readonly track: string;
  readonly segment: number;
  readonly sha256: Uint8Array;
  readonly bytes: number;
  readonly first_ms: number;
  readonly last_ms: number;
}

export interface RecordingReported {
  readonly recording: string;
  readonly to_staff?: boolean;
  readonly what: string;
  readonly lost_ms?: number;
  readonly detail?: string;
  readonly heads?: Readonly<Record<string, Uint8Array>>;
}

/** Payloads of room `opening`, by journal type. */
export interface OpeningEvents {
  readonly opening_scheduled: OpeningScheduled;
  readonly sign_in_opened: SignInOpened;
  readonly bidder_signed_in: BidderSignedIn;
  readonly bidders_listed: BiddersListed;
  readonly bidders_announced: BiddersAnnounced;
  readonly signed_in_bidders: SignedInBidders;
  readonly latecomer_signed_in: LatecomerSignedIn;
  readonly deadline_moved: DeadlineMoved;
  readonly opening_failed: OpeningFailed;
  readonly lot_failed: LotFailed;
  readonly checkpoint_reached: CheckpointReached;
  readonly window_opened: WindowOpened;
  readonly window_changed: WindowChanged;
  readonly outage_seen: OutageSeen;
  readonly bid_unlocked: BidUnlocked;
  readonly own_bid_unlocked: OwnBidUnlocked;
  readonly attempt_failed: AttemptFailed;
  readonly attempt_seen: AttemptSeen;
  readonly window_ended: WindowEnded;
  readonly trustee_released: TrusteeReleased;
  readonly trustees_lost: TrusteesLost;
  readonly trustee_fault_found: TrusteeFaultFound;
  readonly replies_ended: RepliesEnded;
  readonly all_opened: AllOpened;
  readonly document_part: DocumentPart;
  readonly set_frozen: SetFrozen;
  readonly prices_read_out: PricesReadOut;
  readonly row_read: RowRead;
  readonly body_decided: BodyDecided;
  readonly opening_closed: OpeningClosed;
  readonly grounds_suggested: GroundsSuggested;
  readonly ground_proposed: GroundProposed;
  readonly trustees_lost_proposed: TrusteesLostProposed;
  readonly act_declined: ActDeclined;
  readonly ground_decided: GroundDecided;
  readonly damage_found: DamageFound;
  readonly bid_repaired: BidRepaired;
  readonly put_on_stage: StageTaken;
  readonly taken_off_stage: StageLeft;
  readonly held: Held;
  readonly released_from_hold: ReleasedFromHold;
  readonly muted: Muted;
  readonly unmuted: Unmuted;
  readonly call_began: CallBegan;
  readonly call_ended: CallEnded;
  readonly recording_began: RecordingBegan;
  readonly segment_sealed: SegmentSealed;
  readonly recording_reported: RecordingReported;
}

/** Which channel carries each event of room `opening`. */
export const OPENING_AUDIENCES: Record<keyof OpeningEvents, Audience> = {
  opening_scheduled: "hall",
  sign_in_opened: "hall",
  bidder_signed_in: "party",
  bidders_listed: "hall",
  bidders_announced: "hall",
  signed_in_bidders: "staff",
  latecomer_signed_in: "staff",
  deadline_moved: "hall",
  opening_failed: "hall",
  lot_failed: "hall",
  checkpoint_reached: "hall",
  window_opened: "hall",
  window_changed: "hall",
  outage_seen: "hall",
  bid_unlocked: "staff",
  own_bid_unlocked: "party",
  attempt_failed: "party",
  attempt_seen: "staff",
  window_ended: "hall",
  trustee_released: "hall",
  trustees_lost: "hall",
  trustee_fault_found: "hall",
  replies_ended: "hall",
  all_opened: "hall",
  document_part: "hall",
  set_frozen: "hall",
  prices_read_out: "hall",
  row_read: "hall",
  body_decided: "hall",
  opening_closed: "hall",
  grounds_suggested: "staff",
  ground_proposed: "staff",
  trustees_lost_proposed: "staff",
  act_declined: "staff",
  ground_decided: "hall",
  damage_found: "staff",
  bid_repaired: "hall",
  put_on_stage: "hall",
  taken_off_stage: "hall",
  held: "hall",
  released_from_hold: "hall",
  muted: "hall",
  unmuted: "hall",
  call_began: "staff",
  call_ended: "staff",
  recording_began: "hall",
  segment_sealed: "hall",
  recording_reported: "hall",
};

export interface MeetingHeld {
  readonly title: string;
  readonly venues: readonly Venue[];
  readonly moderator: Attendant;
}

export interface SupervisorsNamed {
  readonly supervisors: readonly Attendant[];
}

export type MeetingBegan = Readonly<Record<string, never>>;

export type MeetingClosed = Readonly<Record<string, never>>;

/** Payloads of room `evaluation`, by journal type. */
export interface EvaluationEvents {
  readonly meeting_held: MeetingHeld;
  readonly supervisors_named: SupervisorsNamed;
  readonly meeting_began: MeetingBegan;
  readonly meeting_closed: MeetingClosed;
  readonly put_on_stage: StageTaken;
  readonly taken_off_stage: StageLeft;
  readonly held: Held;
  readonly released_from_hold: ReleasedFromHold;
  readonly muted: Muted;
  readonly unmuted: Unmuted;
  readonly call_began: CallBegan;
  readonly call_ended: CallEnded;
  readonly recording_began: RecordingBegan;
  readonly segment_sealed: SegmentSealed;
  readonly recording_reported: RecordingReported;
}

/** Which channel carries each event of room `evaluation`. */
export const EVALUATION_AUDIENCES: Record<keyof EvaluationEvents, Audience> = {
  meeting_held: "hall",
  supervisors_named: "staff",
  meeting_began: "hall",
  meeting_closed: "hall",
  put_on_stage: "hall",
  taken_off_stage: "hall",
  held: "hall",
  released_from_hold: "hall",
  muted: "hall",
  unmuted: "hall",
  call_began: "staff",
  call_ended: "staff",
  recording_began: "hall",
  segment_sealed: "hall",
  recording_reported: "hall",
};

export interface RegisterBidder {
  readonly bidder_pk: Uint8Array;
  readonly bidder_xpk: Uint8Array;
  readonly expiry_ms: number;
  readonly sig: Uint8Array;
  readonly invitation_sig?: Uint8Array;
}

export interface SubmitBid {
  readonly message: Uint8Array;
}

export interface ChangeDeadline {
  readonly deadline_ms: number;
  readonly reason: string;
  readonly pks: readonly Uint8Array[];
  readonly sigs: readonly Uint8Array[];
}

export interface ProposeDeadline {
  readonly pk: Uint8Array;
  readonly sig: Uint8Array;
  readonly deadline_ms: number;
  readonly reason: string;
}

export interface CountersignDeadline {
  readonly pk: Uint8Array;
  readonly sig: Uint8Array;
  readonly act: Uint8Array;
}

export interface DeclineDeadline {
  readonly act: Uint8Array;
  readonly reason: string;
}

export type SignIn = Readonly<Record<string, never>>;

export interface StartWindow {
  readonly session: number;
  readonly reason?: string;
}

export interface Pause {
  readonly reason: string;
}

export type Resume = Readonly<Record<string, never>>;

export interface Extend {
  readonly extra_ms: number;
  readonly reason: string;
}

export interface UnlockBid {
  readonly messages: readonly Uint8Array[];
}

export interface UnlockByCard {
  readonly message: Uint8Array;
}

export interface ReportAttempt {
  readonly bid_id: Uint8Array;
  readonly code: string;
}

export interface ReleaseShares {
  readonly messages: readonly Uint8Array[];
}

export interface ReleaseSelf {
  readonly messages: readonly Uint8Array[];
}

export interface DeclareTrusteesLost {
  readonly reason: string;
  readonly pks: readonly Uint8Array[];
  readonly sigs: readonly Uint8Array[];
}

export interface ProposeTrusteesLost {
  readonly pk: Uint8Array;
  readonly sig: Uint8Array;
  readonly reason: string;
}

export interface ProposeGround {
  readonly pk: Uint8Array;
  readonly sig: Uint8Array;
  readonly bid_id: Uint8Array;
  readonly ground: string;
  readonly reason: string;
}

export interface Countersign {
  readonly pk: Uint8Array;
  readonly sig: Uint8Array;
  readonly act: Uint8Array;
}

export interface DeclineAct {
  readonly act: Uint8Array;
  readonly reason: string;
}

export type EndReplies = Readonly<Record<string, never>>;

export type OpenAll = Readonly<Record<string, never>>;

export interface ReadRow {
  readonly no: number;
}

export type CloseOpening = Readonly<Record<string, never>>;

export interface PutOnStage {
  readonly person: string;
  readonly reason: string;
}

export interface TakeOffStage {
  readonly person: string;
  readonly reason?: string;
}

export interface Hold {
  readonly person: string;
  readonly held: boolean;
}

export interface Mute {
  readonly person: string;
  readonly label: string;
  readonly muted: boolean;
}

export interface CallIn {
  readonly call: string;
  readonly to: CallTo;
}

export interface EndCall {
  readonly call: string;
}

export type BeginMeeting = Readonly<Record<string, never>>;

export type CloseMeeting = Readonly<Record<string, never>>;

/** Arguments of the commands of room `tender`, by op. */
export interface TenderCommands {
  readonly register: RegisterBidder;
  readonly submit: SubmitBid;
  readonly change_deadline: ChangeDeadline;
  readonly propose_deadline: ProposeDeadline;
  readonly countersign_deadline: CountersignDeadline;
  readonly decline_deadline: DeclineDeadline;
}

/** Arguments of the commands of room `opening`, by op. */
export interface OpeningCommands {
  readonly sign_in: SignIn;
  readonly start_window: StartWindow;
  readonly pause: Pause;
  readonly resume: Resume;
  readonly extend: Extend;
  readonly unlock: UnlockBid;
  readonly card_unlock: UnlockByCard;
  readonly report_attempt: ReportAttempt;
  readonly release: ReleaseShares;
  readonly self_release: ReleaseSelf;
  readonly declare_trustees_lost: DeclareTrusteesLost;
  readonly propose_trustees_lost: ProposeTrusteesLost;
  readonly propose_ground: ProposeGround;
  readonly countersign: Countersign;
  readonly decline_act: DeclineAct;
  readonly end_replies: EndReplies;
  readonly open_all: OpenAll;
  readonly read_row: ReadRow;
  readonly close_opening: CloseOpening;
  readonly put_on_stage: PutOnStage;
  readonly take_off_stage: TakeOffStage;
  readonly hold: Hold;
  readonly mute: Mute;
}

/** Arguments of the commands of room `evaluation`, by op. */
export interface EvaluationCommands {
  readonly put_on_stage: PutOnStage;
  readonly take_off_stage: TakeOffStage;
  readonly hold: Hold;
  readonly mute: Mute;
  readonly call_in: CallIn;
  readonly end_call: EndCall;
  readonly begin_meeting: BeginMeeting;
  readonly close_meeting: CloseMeeting;
}
