/** One member that misbehaves, against the real coordinator: what it costs the others, in seconds. */
import { setTimeout as delay } from "node:timers/promises";
import type { RunningNode } from "../../client-node/node.ts";
import type { Bfv } from "../../privacy/sum/encryption/bfv.ts";
import { T } from "../../privacy/sum/layout.ts";
import { LocalBank, startEnterprise } from "../../simulate/consortium.ts";
import type { Attack } from "./attack.ts";
import { manifestOf, tableOf } from "./stage.ts";

const stepSeconds = 3;
/** Longer than any study that goes on takes. */
const gaveUpSeconds = 25;

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

/** @returns seconds that a member's misbehaviour adds to a study of `parties`. */
async function lost(
  bfv: Bfv,
  parties: number,
  misbehave: (honest: Bfv) => Pick<Bfv, "encrypt">,
): Promise<number> {
  const bank = await LocalBank.start();
  const nodes = new Map<string, RunningNode>();
  try {
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
    const evil = misbehave(honest);
    const member: Bfv = {
      ...honest,
      encrypt: (key, slots) => (isEvil ? evil : honest).encrypt(key, slots),
    };
    for (const name of names) {
      const own = name === "party-0" ? member : honest;
      nodes.set(
        name,
        await startEnterprise(bank, credentials.get(name)!, manifestOf("any"), tableOf(name), own),
      );
    }
    // The first study waits for a key epoch.
    await secondsOf(bank, nodes, "first");
    const undisturbed = await secondsOf(bank, nodes, "undisturbed");
    isEvil = true;
    return (await secondsOf(bank, nodes, "disturbed")) - undisturbed;
  } finally {
    for (const node of nodes.values()) node.drop();
    await Promise.allSettled([...nodes.values()].map((node) => node.finished));
    await bank.stop();
  }
}

const never = (): Promise<never> => new Promise(() => {});

/** Two deadlines, and what the attempts themselves take. */
const limits = { unit: "seconds lost", guessing: 2 * stepSeconds + 4, success: 15, quick: false } as const;

/** @param parties - with as many, the misbehaviour is survived. @param few - with as many, it is not. */
const misbehaviour = (
  name: string,
  [parties, few]: readonly [number, number],
  misbehave: (honest: Bfv) => Pick<Bfv, "encrypt">,
): Attack => ({
  name,
  ...limits,
  play: (bfv, control) => lost(bfv, control ? few : parties, misbehave),
});

export const memberAttacks: readonly Attack[] = [
  misbehaviour("a member is silent at step 1", [5, 3], () => ({ encrypt: never })),
  misbehaviour("a member counts itself twice", [6, 5], (honest) => ({
    encrypt: (key, slots) => honest.encrypt(key, slots.with(0, (slots[0]! + 1) % T)),
  })),
];
