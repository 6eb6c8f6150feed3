import test from "ava";
import { seededRandom, uniform } from "../../../core/random.ts";
import { seededBytes } from "../../../privacy/sum/encryption/bfv-format.ts";
import { grpc } from "../../../simulate/grpc.ts";
import { studyOf, tableOf } from "../../support/rows.ts";

test("a node fetches the others' ciphertexts to recompute a sum, and neither its own nor what it comes to", async (t) => {
  t.timeout(120_000);
  const parties = 4;
  const names = Array.from({ length: 16 }, (_, i) => `x${i}`);
  const tables = Array.from({ length: parties }, (_, party) => {
    const random = seededRandom(`fetched ${party}`);
    const draw = () => Array.from({ length: 40 }, () => uniform(random));
    return tableOf(
      Object.fromEntries(names.map((name) => [name, draw()])),
      Array.from({ length: 40 }, (_, row) => row % 2),
    );
  });
  const features = names.map((name) => ({ name, kind: "numeric" as const }));
  const manifest = studyOf(features, [{ name: "range" }, { name: "bins" }]);
  const drop = { kind: "chance", probability: 0 } as const;
  const { bytes, rounds } = await grpc({ manifest, tables }, { drop, seed: "fetched", onRound: () => {} });
  t.is(rounds, 2);
  // One for the ranges, and seven for the bins; what else comes is keys, lists and proofs.
  const submitted = 8 * seededBytes;
  t.true(bytes.up > parties * submitted && bytes.up < parties * 1.5 * submitted);
  const others = parties * (parties - 1) * submitted;
  t.true(bytes.down > others && bytes.down < 1.2 * others, `${bytes.down / others}`);
});
