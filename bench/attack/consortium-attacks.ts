/** Attacks on who belongs to the consortium. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { secureRandom } from "../../core/random.ts";
import { agreeKey, generateIdentity, publicIdentity, x25519Pair } from "../../privacy/identity.ts";
import { newSignerKey, noteSigner, parseSignerKey, type Signer, signNote } from "../../privacy/log/note.ts";
import { formatRoster, type RosterText, signRoster } from "../../privacy/roster.ts";
import type { Bfv } from "../../privacy/sum/encryption/bfv.ts";
import { type Attack, counted } from "./attack.ts";
import { Stage } from "./stage.ts";

/** How long a node may take to come, milliseconds. */
const patienceMillis = 1500;

const rosterOf = ({ bank: { consortium } }: Stage): RosterText => ({
  consortium: consortium.name,
  version: 2,
  members: consortium.roster.members,
});

/** Shows the victim's node another roster. @returns whether it connects under it. */
async function connectsUnder(stage: Stage, note: string, ledger?: string, pins = {}): Promise<number> {
  const { bank, victim } = stage;
  stage.nodes.get(victim)?.drop();
  await stage.nodes.get(victim)?.finished.catch(() => {});
  bank.forget(victim);
  bank.rosterNote = note;
  await stage.start(victim, ledger, pins);
  const came = bank.connected(victim).then(() => 1);
  return Promise.race([came, delay(patienceMillis, 0, { ref: false })]);
}

const newSigner = (name: string): { readonly key: string; readonly signer: Signer } => {
  const { keep, send } = newSignerKey(name, secureRandom);
  const { seed } = parseSignerKey(keep);
  return { key: send, signer: noteSigner(name, seed) };
};

/** A roster with enterprises that nobody but the bank knows. */
const sybils = (stage: Stage): RosterText => {
  const { consortium, members, version } = rosterOf(stage);
  const invented = Array.from({ length: 3 }, (_, i) => {
    const identity = generateIdentity(`${consortium}/sybil-${i}`, secureRandom);
    return { id: `sybil-${i}`, organisation: `Sybil ${i}`, ...publicIdentity(identity) };
  });
  return { consortium, version, members: [...members, ...invented] };
};

const withStage = async (bfv: Bfv, script: (stage: Stage) => Promise<number>): Promise<number> => {
  await using stage = await Stage.open(bfv, { honest: 3 });
  return await script(stage);
};

export const consortiumAttacks: readonly Attack[] = [
  {
    name: "enterprises that the bank invented",
    ...counted("nodes that go on under such a roster", 1),
    quick: false,
    play: (bfv, control) =>
      withStage(bfv, async (stage) => {
        const { bank } = stage.bank.signers;
        const forged = newSigner(stage.bank.signers.auditor.name);
        const note = signRoster(sybils(stage), [bank, forged.signer]);
        // The control has pinned a key of the bank's making as the auditor's.
        return connectsUnder(stage, note, ":memory:", control ? { auditorKey: forged.key } : {});
      }),
  },
  {
    name: "an older roster after a restart",
    ...counted("nodes that go on under it", 1),
    quick: false,
    play: async (bfv, control) => {
      const folder = await mkdtemp(join(tmpdir(), "fedcredit-attack-"));
      try {
        return await withStage(bfv, async (stage) => {
          const older = stage.bank.rosterNote;
          const { bank, auditor } = stage.bank.signers;
          const newer = signRoster(rosterOf(stage), [bank, auditor]);
          const ledger = join(folder, "ledger.db");
          if ((await connectsUnder(stage, newer, ledger)) === 0)
            throw new Error("the newer roster is refused");
          return connectsUnder(stage, older, control ? ":memory:" : ledger);
        });
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  },
  {
    name: "a member's key of low order in a signed roster",
    ...counted("nodes stopped by it later, nobody named", 1),
    quick: false,
    play: (bfv, control) =>
      withStage(bfv, async (stage) => {
        const zeros = new Uint8Array(32);
        if (control) {
          // Who meets the key only when it agrees on a secret can do nothing but stop.
          try {
            agreeKey(x25519Pair(secureRandom.bytes(32)).secretKey, zeros, "salt", "info");
            return 0;
          } catch {
            return 1;
          }
        }
        const text = rosterOf(stage);
        const { hpkeKey } = text.members[1]!;
        const [real, low] = [hpkeKey, zeros].map((key) => Buffer.from(key).toString("base64"));
        const note = signNote(formatRoster(text).replace(real!, low!), [
          stage.bank.signers.bank,
          stage.bank.signers.auditor,
        ]);
        return connectsUnder(stage, note);
      }),
  },
];
