/**
 * One member that misbehaves, in each way that the messages allow, against the real coordinator: what it costs the
 * others, in seconds, and that it alone is named, or nobody.
 */

import { Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { pino } from "pino";
import type { WireCoordinatorMessage, WirePartyMessage } from "../../client-node/federation/transport.ts";
import type { RunningNode } from "../../client-node/node.ts";
import { type Digest, digestOf } from "../../core/canonical.ts";
import type { Identity } from "../../privacy/identity.ts";
import type { Bfv } from "../../privacy/sum/encryption/bfv.ts";
import type { EpochJoined, EpochNonces } from "../../privacy/sum/epoch/messages.ts";
import {
  advertisedDigest,
  advertisementDigest,
  briefOf,
  type EpochStatement,
  noncesDigest,
  signEpoch,
  viewOf,
} from "../../privacy/sum/epoch/transcript.ts";
import { T } from "../../privacy/sum/layout.ts";
import { revealedDigest, signStatement } from "../../privacy/sum/statements.ts";
import { LocalBank, startEnterprise } from "../../simulate/consortium.ts";
import type { Attack } from "./attack.ts";
import { tapLine } from "./misbehaving.ts";
import { manifestOf, tableOf } from "./stage.ts";

const stepSeconds = 3;
/** Longer than any study that goes on takes. */
const gaveUpSeconds = 17;
const culprit = "party-0";
const accomplice = "party-1";

/** @returns what the member says in place of a message. */
type Tongue = (message: WirePartyMessage, culprit: Culprit) => readonly WirePartyMessage[];

interface Misbehaviour {
  readonly encrypt?: (honest: Bfv) => Bfv["encrypt"];
  readonly tongue?: Tongue;
  /** Another's, where one alone stops nothing. */
  readonly accomplice?: Tongue;
  /** It misbehaves while a key epoch is opened: the member comes back, so that one is. */
  readonly inEpoch?: true;
}

/** What a member knows of an opening, to sign what is wrong. */
class Culprit {
  readonly id: string;
  readonly identity: Identity;
  #joined: EpochJoined | undefined;
  #nonces: EpochNonces | undefined;

  constructor(id: string, identity: Identity) {
    this.id = id;
    this.identity = identity;
  }

  hear(message: WireCoordinatorMessage): void {
    if (message.type === "epochJoined") this.#joined = message;
    if (message.type === "epochNonces") this.#nonces = message;
  }

  get view(): Digest {
    const { opening, joined } = this.#joined!;
    return viewOf({
      opening,
      advertised: advertisedDigest(joined.map((one) => advertisementDigest(one.party, briefOf(one)))),
      nonces: noncesDigest(new Map(this.#nonces!.nonces.map(({ party, nonce }) => [party, nonce]))),
    });
  }

  sign(statement: EpochStatement): Uint8Array {
    return signEpoch(this.id, statement, this.identity);
  }
}

/** What the coordinator's log says of members. */
class Log {
  readonly named = new Set<string>();
  readonly pino = pino(
    { level: "warn" },
    new Writable({
      write: (chunk: Buffer, _, done) => {
        const { party, named = [] } = JSON.parse(chunk.toString()) as { party?: string; named?: string[] };
        for (const one of [...(party === undefined ? [] : [party]), ...named]) this.named.add(one);
        done();
      },
    }),
  );
}

/** @returns seconds from the start of a study to its result; `gaveUpSeconds` where it comes to none. */
async function secondsOf(
  bank: LocalBank,
  nodes: ReadonlyMap<string, RunningNode>,
  name: string,
): Promise<number> {
  const study = await bank.operator.propose({ ...manifestOf(name), deadlines: { stepSeconds } });
  await Promise.all([...nodes.values()].map((node) => node.consent(study)));
  const began = performance.now();
  await bank.operator.start(study);
  const followed = (async () => {
    let last = "";
    for await (const { phase } of bank.operator.follow(study)) last = phase;
    return last === "finished" ? (performance.now() - began) / 1000 : gaveUpSeconds;
  })();
  return Promise.race([followed, delay(gaveUpSeconds * 1000, gaveUpSeconds, { ref: false })]);
}

/**
 * @returns seconds that a member's misbehaviour adds to a study of `parties`.
 * @throws where another than the member and its accomplice is named.
 */
async function lost(bfv: Bfv, parties: number, how: Misbehaviour): Promise<number> {
  const { encrypt, inEpoch } = how;
  const tongues = new Map([
    [culprit, how.tongue],
    [accomplice, how.accomplice],
  ]);
  const log = new Log();
  const bank = await LocalBank.start({}, { log: log.pino });
  const nodes = new Map<string, RunningNode>();
  await using cleanUp = new AsyncDisposableStack();
  cleanUp.defer(async () => {
    for (const node of nodes.values()) node.drop();
    await Promise.allSettled([...nodes.values()].map((node) => node.finished));
    await bank.stop();
  });
  const names = Array.from({ length: parties }, (_, i) => `party-${i}`);
  const credentials = await bank.enrolAll(names);
  let isEvil = false;
  const honest: Bfv = {
    generateKey: () => bfv.generateKey(),
    encrypt: (key, slots) => bfv.encrypt(key, slots),
    openSum: (chunks) => bfv.openSum(chunks),
    decrypt: (key, chunks, slots) => bfv.decrypt(key, chunks, slots),
    close: async () => {},
  };
  const evil = encrypt?.(honest);
  const member: Bfv = {
    ...honest,
    encrypt: (key, slots) => (isEvil ? (evil ?? honest.encrypt) : honest.encrypt)(key, slots),
  };
  // By its address a line is told from the others'.
  const { address } = bank.coordinator;
  const addresses = new Map([
    [culprit, address.replace("127.0.0.1", "localhost")],
    [accomplice, address.replace("127.0.0.1", "LOCALHOST")],
  ]);
  for (const [name, at] of addresses) {
    const itself = new Culprit(name, credentials.get(name)!.identity);
    const tongue = tongues.get(name);
    const line = tapLine(at, {
      up: (message) => (isEvil && tongue ? tongue(message, itself) : [message]),
      down: (message) => itself.hear(message),
    });
    cleanUp.use(line);
  }
  const start = async (name: string): Promise<void> => {
    const node = await startEnterprise(
      addresses.get(name) ?? address,
      credentials.get(name)!,
      manifestOf("any"),
      tableOf(name),
      name === culprit ? member : honest,
    );
    nodes.set(name, node);
  };
  for (const name of names) await start(name);
  const comeBack = async (): Promise<void> => {
    const node = nodes.get(culprit)!;
    node.drop();
    await node.finished.catch(() => {});
    await start(culprit);
  };
  // The first study waits for a key epoch.
  await secondsOf(bank, nodes, "first");
  if (inEpoch) await comeBack();
  const undisturbed = await secondsOf(bank, nodes, "undisturbed");
  isEvil = true;
  if (inEpoch) await comeBack();
  const disturbed = await secondsOf(bank, nodes, "disturbed");
  const wrong = [...tongues].flatMap(([name, tongue]) => (name === culprit || tongue ? name : []));
  const blamed = [...log.named].filter((name) => !wrong.includes(name));
  if (blamed.length > 0) throw new Error(`honest members are named: ${blamed.join(", ")}`);
  // What comes to nothing is lost whole, however long a study takes on this machine.
  return disturbed === gaveUpSeconds ? gaveUpSeconds : disturbed - undisturbed;
}

/** Two deadlines, and what the attempts themselves take. */
const limits = { unit: "seconds lost", guessing: 2 * stepSeconds + 4, success: 12, quick: false } as const;

/**
 * @param parties - with as many, the misbehaviour is survived. @param few - with as many, it is not.
 * @param more - in the control.
 */
const misbehaviour = (
  name: string,
  [parties, few]: readonly [number, number],
  how: Misbehaviour,
  more: Partial<Misbehaviour> = {},
): Attack => ({
  name: `a member ${name}`,
  ...limits,
  play: (bfv, control) => (control ? lost(bfv, few, { ...how, ...more }) : lost(bfv, parties, how)),
});

/** One alone cannot keep the sum back: in the control two of three do. */
const atRelease = (name: string, how: Misbehaviour): Attack =>
  misbehaviour(name, [5, 3], how, how.tongue && { accomplice: how.tongue });

type Of<Type> = Extract<WirePartyMessage, { readonly type: Type }>;

const silent =
  (type: WirePartyMessage["type"]): Tongue =>
  (message) =>
    message.type === type ? [] : [message];

/** Says nothing of one kind. */
const silentAt = (type: WirePartyMessage["type"]): Misbehaviour => ({ tongue: silent(type) });

/** Says something else of one kind. */
const otherwise = <Type extends WirePartyMessage["type"]>(
  type: Type,
  change: (message: Of<Type>, culprit: Culprit) => WirePartyMessage,
): Misbehaviour => ({
  tongue: (message, itself) => [message.type === type ? change(message as Of<Type>, itself) : message],
});

const flipped = (bytes: Uint8Array): Uint8Array => {
  const other = Uint8Array.from(bytes);
  other[other.length - 1]! ^= 1;
  return other;
};

const wrongSignature = (type: "submit" | "agree" | "unmask" | "released"): Misbehaviour =>
  otherwise(type, (message) => ({ ...message, signature: flipped(message.signature) }));

/** Signs what it changed, so that nothing but the content is wrong. */
const unmasksWrong = (change: (unmask: Of<"unmask">) => Of<"unmask">): Misbehaviour =>
  otherwise("unmask", (unmask, { id, identity }) => {
    const changed = change(unmask);
    const revealed = revealedDigest(changed);
    const signature = signStatement(changed.roundId, id, { purpose: "unmask", revealed }, identity);
    return { ...changed, signature };
  });

const inEpoch = (how: Misbehaviour): Misbehaviour => ({ ...how, inEpoch: true });

const inRounds: readonly Attack[] = [
  misbehaviour("is silent at step 1", [5, 3], silentAt("submit")),
  misbehaviour("is silent at step 2", [5, 3], silentAt("agree")),
  misbehaviour("is silent at step 3", [5, 3], silentAt("unmask")),
  atRelease("is silent at step 4", silentAt("released")),
  misbehaviour("counts itself twice", [6, 5], {
    encrypt: (honest) => (key, slots) => honest.encrypt(key, slots.with(0, (slots[0]! + 1) % T)),
  }),
  misbehaviour("submits what it did not upload", [5, 3], {
    ...otherwise("submit", (submit, { identity }) => {
      const chunks = submit.chunks.map(() => digestOf("nothing"));
      const digest = digestOf(Buffer.from(chunks.join(""), "hex"));
      const { roundId, commitment } = submit;
      const statement = { purpose: "submit", digest, commitment } as const;
      return {
        ...submit,
        chunks,
        digest,
        signature: signStatement(roundId, culprit, statement, identity),
      };
    }),
  }),
  misbehaviour("submits no ciphertext", [5, 3], {
    encrypt: (honest) => async (key, slots) =>
      (await honest.encrypt(key, slots)).map((chunk) => chunk.map((byte, i) => (i > 100 ? 255 : byte))),
  }),
  ...(["submit", "agree", "unmask"] as const).map((type) =>
    misbehaviour(`signs its ${type} wrong`, [5, 3], wrongSignature(type)),
  ),
  atRelease("signs its released wrong", wrongSignature("released")),
  misbehaviour(
    "reveals a wrong self-mask seed",
    [5, 3],
    unmasksWrong((unmask) => ({ ...unmask, selfMaskSeed: flipped(unmask.selfMaskSeed) })),
  ),
  misbehaviour("reveals wrong shares of one that is silent", [8, 5], {
    ...unmasksWrong((unmask) => ({
      ...unmask,
      selfMask: unmask.selfMask.map(({ party, share }) => ({ party, share: flipped(share) })),
    })),
    accomplice: silent("unmask"),
  }),
  atRelease(
    "says that the sum is invalid",
    otherwise("released", ({ roundId, aggregate, signature }) => ({
      type: "invalid",
      roundId,
      aggregate,
      signature,
    })),
  ),
  misbehaviour(
    "refuses and accuses another",
    [5, 3],
    otherwise("agree", ({ roundId }, { identity }) => {
      const said = { reason: "signature_invalid", party: "party-1", detail: "" } as const;
      const { reason, party: accused, detail } = said;
      const statement = { purpose: "refuse", reason, accused, detail } as const;
      return {
        type: "refuse",
        roundId,
        ...said,
        signature: signStatement(roundId, culprit, statement, identity),
      };
    }),
  ),
];

const inOpenings: readonly Attack[] = [
  ...(["joinEpoch", "epochNonce", "shareEpoch", "confirmEpoch"] as const).map((type) =>
    misbehaviour(`never says ${type} in an opening`, [5, 3], inEpoch(silentAt(type))),
  ),
  misbehaviour(
    "opens another nonce than it committed to",
    [5, 3],
    inEpoch(otherwise("epochNonce", (message) => ({ ...message, nonce: flipped(message.nonce) }))),
  ),
  misbehaviour(
    "signs its keys wrong",
    [5, 3],
    inEpoch(otherwise("joinEpoch", (message) => ({ ...message, signature: flipped(message.signature) }))),
  ),
  misbehaviour(
    "shares what it did not sign",
    [5, 3],
    inEpoch(
      otherwise("shareEpoch", (message) => ({
        ...message,
        sealed: message.sealed.map((one) => ({ ...one, ciphertext: flipped(one.ciphertext) })),
      })),
    ),
  ),
  misbehaviour(
    "shares what nobody can open",
    [5, 3],
    inEpoch(
      otherwise("shareEpoch", (message, itself) => ({
        ...message,
        sealed: message.sealed.map((one) => {
          const sealed = { ephemeral: one.ephemeral, ciphertext: flipped(one.ciphertext) };
          const said = { view: itself.view, to: one.party, sealed, hashes: one.hashes };
          return { ...one, ...sealed, signature: itself.sign({ purpose: "epoch-share", ...said }) };
        }),
      })),
    ),
  ),
  misbehaviour(
    "complains about a share that is right",
    [5, 3],
    inEpoch(
      otherwise("confirmEpoch", ({ opening }, itself) => {
        const complaint = { about: "party-1", kind: "share" } as const;
        const signature = itself.sign({ purpose: "epoch-complaint", view: itself.view, ...complaint });
        return { type: "complainEpoch", opening, ...complaint, signature };
      }),
    ),
  ),
];

export const memberAttacks: readonly Attack[] = [...inRounds, ...inOpenings];
