import type { Digest } from "../../core/canonical.ts";
import type { Random } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import { type Identity, publicIdentity } from "../../privacy/identity.ts";
import { parseVerifierKey } from "../../privacy/log/note.ts";
import { openRoster, type Roster } from "../../privacy/roster.ts";
import type { PartyContext } from "../../privacy/sum/party/party.ts";
import { Membership as MembershipService } from "../../proto/wire.ts";
import { newestRoster, rememberRoster } from "../ledger/chain.ts";
import type { IdentityFiles, NodeCredentials } from "./credentials.ts";
import { acceptRecoveries, type RecoveryDesk } from "./recovery.ts";

interface MembershipOptions extends RecoveryDesk {
  readonly credentials: NodeCredentials;
  readonly random: Random;
  /** Where the identity that shall follow this node's is kept; none follows it without. */
  readonly identities?: IdentityFiles | undefined;
}

/** This node's membership of the consortium: the newest roster it was ever shown. */
export class Membership {
  readonly #options: MembershipOptions;
  #roster: Roster | undefined;

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  /**
   * Fetches the roster and makes it the current one.
   * @throws Refusal roster_unsigned, signature_invalid, note_malformed; roster_mismatch, if this node is not in it
   *   with its own keys or it is older than the one at hand; those of `acceptRecoveries`.
   */
  async fetchRoster(): Promise<Roster> {
    const { credentials, db, identities, transport } = this.#options;
    const { note, entry } = await transport.call(MembershipService.service.GetRoster, {});
    const roster = openRoster(
      note,
      parseVerifierKey(credentials.bankKey),
      parseVerifierKey(credentials.auditorKey),
    );
    const own = roster.byId.get(credentials.enterprise);
    const isOwn = (identity: Identity): boolean => {
      const { verifierKey, hpkeKey } = publicIdentity(identity);
      return own?.verifierKey === verifierKey && Buffer.from(own.hpkeKey).equals(hpkeKey);
    };
    const identity = isOwn(credentials.identity) ? credentials.identity : identities?.read().find(isOwn);
    if (roster.consortium !== credentials.consortium || identity === undefined)
      throw new Refusal("roster_mismatch", "this node is not in the roster with its own keys", {
        hint: "wait until the bank admits it and the auditor countersigns",
      });
    const newest = newestRoster(db);
    if (newest !== undefined && roster.digest !== newest.digest && roster.version <= newest.version)
      throw new Refusal(
        "roster_mismatch",
        `a roster of version ${roster.version} is shown after another of version ${newest.version}`,
      );
    await acceptRecoveries(this.#options, roster, entry);
    if (identity !== credentials.identity) identities?.adopt(identity);
    credentials.identity = identity;
    rememberRoster(db, roster.version, roster.digest);
    this.#roster = roster;
    return roster;
  }

  /** @returns the roster of a digest, fetched anew where it is not the one at hand. @throws Refusal roster_mismatch */
  async rosterOf(digest: Digest): Promise<Roster> {
    const roster = this.#roster?.digest === digest ? this.#roster : await this.fetchRoster();
    if (roster.digest !== digest)
      throw new Refusal("roster_mismatch", "the coordinator names another roster");
    return roster;
  }

  /** @throws {RangeError} before the first roster. */
  context(): PartyContext {
    const { credentials, random } = this.#options;
    if (this.#roster === undefined) throw new RangeError("no roster was fetched");
    return {
      id: credentials.enterprise,
      identity: credentials.identity,
      roster: this.#roster,
      random,
    };
  }
}
