/**
 * The bidder's key of one tender on this device (密钥): making, registering, opening, carrying away.
 *
 * Invariant: a key is kept on the device before it is registered, because a registered key that
 * nobody has would be a lost bid; and only the key that is registered is ever shown as open.
 */
import { type Bytes, equal, hex, unhex } from "../../crypto/bytes.ts";
import { Rejected } from "../../crypto/errors.ts";
import { BoxKey, SigningKey } from "../../crypto/keys.ts";
import { bindMessage, organisationHash } from "../../crypto/registration.ts";
import { askDevice } from "../../device/ask.ts";
import { download } from "../../device/download.ts";
import type { GivenKeys } from "../../device/given_keys.ts";
import { askToPersist, keep, recall } from "../../device/memory.ts";
import type { OpenKeys } from "../../device/protocol.ts";
import { Refused } from "../../net/commands.ts";
import { me } from "../../net/session.ts";
import { clock } from "../../net/store.ts";
import { troubleOf } from "../../ui/refusal.tsx";
import type { Desk } from "./desk.ts";

const KEY_VALID_MS = 180 * 86_400_000;
const FILE_BYTES_MAX = 65_536;

export class OwnKey {
  private keys: OpenKeys | null = null;
  private file: Bytes | null = null;
  private readonly desk: Desk;

  constructor(desk: Desk) {
    this.desk = desk;
  }

  private get place(): string {
    return `key:${this.desk.id}`;
  }

  /** The open keys; `keyfile.locked` while there are none. */
  required(): OpenKeys {
    if (this.keys === null) throw new Refused("keyfile.locked");
    return this.keys;
  }

  /** Looks for a key: what a demo link brought, or the file this device kept. */
  async find(given: GivenKeys | null): Promise<void> {
    if (given !== null && this.keys === null) this.take(given);
    if (this.keys !== null) return;
    this.file ??= await recall<Bytes>(this.place);
    if (this.desk.view.value.key.kind !== "busy") this.close();
  }

  private take(given: GivenKeys): void {
    const signing = new SigningKey(unhex(given.signSeed, 32));
    const box = new BoxKey(unhex(given.boxSeed, 32));
    this.opened({
      signSeed: signing.seed,
      boxSeed: box.seed,
      pk: signing.public,
      xpk: box.public,
    });
  }

  private opened(keys: OpenKeys): void {
    this.keys = keys;
    // A try that failed with another key says nothing about this one.
    const isStuck = this.desk.view.value.unlock.kind === "failed";
    this.desk.change({
      key: { kind: "open", pk: hex(keys.pk) },
      trouble: null,
      ...(isStuck ? { unlock: { kind: "idle" } as const } : {}),
    });
  }

  private close(): void {
    this.desk.change({ key: { kind: this.file ? "locked" : "absent" } });
  }

  async create(passphrase: string): Promise<void> {
    this.desk.change({ key: { kind: "busy" }, trouble: null });
    const isDone = await this.desk.guarded(async () => {
      const { tender_id } = await this.desk.rules();
      const answer = await askDevice({ kind: "create_key", tenderId: tender_id, passphrase });
      if (answer.kind !== "key") return;
      await keep(this.place, answer.file);
      askToPersist();
      try {
        await this.register(tender_id, answer.keys);
      } catch (error) {
        // Refused for good: the file opens nothing, and must not stand in for the right one.
        if (error instanceof Refused) await keep(this.place, null);
        throw error;
      }
      this.file = answer.file;
      this.opened(answer.keys);
      this.save();
    });
    if (!isDone) this.close();
    await this.desk.load();
  }

  private async register(tenderId: Bytes, keys: OpenKeys): Promise<void> {
    const claims = {
      tender_id: tenderId,
      bidder_pk: keys.pk,
      bidder_xpk: keys.xpk,
      expiry_ms: this.desk.opening.deadlineMs + KEY_VALID_MS,
      org_sha256: organisationHash(me.value.org ?? ""),
    };
    const { bidder_pk, bidder_xpk, expiry_ms } = claims;
    const sig = new SigningKey(keys.signSeed).sign(bindMessage(claims));
    const asked = { bidder_pk, bidder_xpk, expiry_ms, sig };
    await this.desk.store.askTender(this.desk.id, "register", asked);
  }

  async open(passphrase: string): Promise<void> {
    const { file } = this;
    if (file === null) return;
    this.desk.change({ key: { kind: "busy" }, trouble: null });
    const isDone = await this.desk.guarded(async () => {
      const { tender_id } = await this.desk.rules();
      const answer = await askDevice({ kind: "open_key", file, passphrase });
      if (answer.kind !== "key") return;
      if (!equal(answer.tenderId, tender_id)) throw new Rejected("keyfile.other_tender");
      const registered = this.desk.view.value.registered?.bidderPk;
      if (registered !== undefined && registered !== hex(answer.keys.pk)) {
        throw new Rejected("keyfile.not_registered");
      }
      await keep(this.place, file);
      this.opened(answer.keys);
    });
    if (!isDone) this.desk.change({ key: { kind: "locked" } });
  }

  /** Another file, from another device: kept only once it has opened. */
  async load(file: File): Promise<void> {
    if (file.size > FILE_BYTES_MAX) {
      this.desk.change({ trouble: troubleOf(new Rejected("keyfile.size"), clock.now()) });
      return;
    }
    this.file = new Uint8Array(await file.arrayBuffer());
    this.keys = null;
    this.desk.change({ key: { kind: "locked" }, unlock: { kind: "idle" }, trouble: null });
  }

  save(): void {
    if (this.file) download(`${this.desk.id}.kbk`, this.file);
  }
}
