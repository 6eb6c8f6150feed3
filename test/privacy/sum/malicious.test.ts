/** Scripted attacks: a coordinator that an honest party refuses, a party that the coordinator names. */
import { randomBytes } from "node:crypto";
import test from "ava";
import { digestOf } from "../../../core/canonical.ts";
import { seededRandom } from "../../../core/random.ts";
import { signStatement, submissionDigest, survivorsDigest } from "../../../privacy/sum/binding.ts";
import type { CoordinatorState } from "../../../privacy/sum/coordinator/coordinator.ts";
import type { Bfv } from "../../../privacy/sum/encryption/bfv.ts";
import { encodeHeader, roundIdOf } from "../../../privacy/sum/header.ts";
import { planPacking } from "../../../privacy/sum/layout.ts";
import type { CoordinatorRoundMessage, PartyRoundMessage } from "../../../privacy/sum/messages.ts";
import { checkAgreement } from "../../../privacy/sum/party/checks.ts";
import {
  type Consortium,
  foundConsortium,
  type SimulatedAttempt,
  simulatedHeader,
  simulateResume,
  willingFacts,
} from "../../../privacy/sum/simulation.ts";
import {
  attempt,
  closeBfv,
  consortiumOf,
  endings,
  partyIds,
  sharedBfv,
  smallLayout,
  smallSum,
  smallVector,
} from "../../support/sealed-sum.ts";

test.after.always(closeBfv);

type Down<Type> = Extract<CoordinatorRoundMessage, { readonly type: Type }>;
type Up<Type> = Extract<PartyRoundMessage, { readonly type: Type }>;

let bfv: Bfv;
let consortium: Consortium;
test.before(async () => {
  bfv = await sharedBfv();
  consortium = await consortiumOf(4, bfv);
});
const ids = partyIds(4);
const [a, b, c, d] = ids as [string, string, string, string];

/** Rewrites one kind of the coordinator's messages. */
const tampering =
  <Type extends CoordinatorRoundMessage["type"]>(
    type: Type,
    rewrite: (message: Down<Type>, to: string) => readonly CoordinatorRoundMessage[],
  ) =>
  (to: string, message: CoordinatorRoundMessage): readonly CoordinatorRoundMessage[] =>
    message.type === type ? rewrite(message as Down<Type>, to) : [message];

/** Rewrites one kind of one party's messages. */
const lying =
  <Type extends PartyRoundMessage["type"]>(
    party: string,
    type: Type,
    rewrite: (message: Up<Type>) => readonly PartyRoundMessage[],
  ) =>
  (from: string, message: PartyRoundMessage): readonly PartyRoundMessage[] =>
    from === party && message.type === type ? rewrite(message as Up<Type>) : [message];

const faultsOf = (state: CoordinatorState): string[] =>
  ("round" in state ? state.round.faults : state.faults).map(({ party, reason }) => `${party} ${reason}`);

const flipped = (bytes: Uint8Array): Uint8Array => bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte));

// The coordinator attacks

test("forged drop-out: a party that submitted and is left out refuses, and its vector stays sealed", async (t) => {
  const done = await attempt({
    consortium,
    bfv,
    options: {
      onWayDown: tampering("survivors", (message) => [
        { ...message, survivors: message.survivors.filter(({ party }) => party !== d) },
      ]),
    },
  });
  t.is(endings(done)[d], "survivors_invalid");
  t.is(done.sum, undefined);
});

test("a split view of the survivors: all signatures together are too few for either list", async (t) => {
  const signatures: { party: string; signature: Uint8Array }[] = [];
  const done = await attempt({
    consortium,
    bfv,
    options: {
      onWayUp: (from, message) => {
        if (message.type === "agree") signatures.push({ party: from, signature: message.signature });
        return [message];
      },
      onWayDown: (to, message) => {
        if (message.type === "closed") return [{ type: "agreed", roundId: message.roundId, signatures }];
        if (message.type !== "survivors" || to === c || to === d) return [message];
        return [{ ...message, survivors: message.survivors.filter(({ party }) => party !== d) }];
      },
    },
  });
  t.is(signatures.length, 4);
  t.deepEqual(Object.values(endings(done)), new Array(4).fill("agreement_missing"));
});

test("only signatures of a party's own neighbourhood count towards its T", (t) => {
  const header = simulatedHeader(consortium, { layout: smallLayout, minCohort: 2, round: 1 }, ids);
  const roundId = roundIdOf(header);
  const survivors = ids.map((party) => ({ party, digest: digestOf(party) }));
  const statement = { purpose: "agree", survivors: survivorsDigest(survivors) } as const;
  const signatures = ids.map((party) => ({
    party,
    signature: signStatement(roundId, party, statement, consortium.parties.get(party)!.identity),
  }));
  const keys = { maskKey: new Uint8Array(32), shareKey: new Uint8Array(32) };
  const check = (neighbours: readonly string[]) =>
    checkAgreement(
      { type: "agreed", roundId, signatures },
      survivors,
      { advertised: ids, neighbours: new Map(neighbours.map((id) => [id, keys])), threshold: 3 },
      { roundId, header, packing: planPacking(smallLayout, 4), answers: [] },
      consortium.parties.get(a)!,
    );
  t.notThrows(() => check([b, c]));
  t.like(
    t.throws(() => check([b])),
    { reason: "agreement_missing" },
  );
});

test("signatures are counted once a signer", async (t) => {
  const done = await attempt({
    consortium,
    bfv,
    options: {
      onWayDown: tampering("agreed", ({ signatures, ...message }) => [
        { ...message, signatures: [...signatures.slice(0, 2), ...signatures.slice(0, 2)] },
      ]),
    },
  });
  t.deepEqual(Object.values(endings(done)), new Array(4).fill("agreement_missing"));
});

test("both kinds of share: a second survivor list is refused, before and after unmasking", async (t) => {
  for (const when of ["survivors", "agreed"] as const) {
    let list: Down<"survivors"> | undefined;
    const done = await attempt({
      consortium,
      bfv,
      options: {
        onWayDown: (to, message) => {
          if (message.type === "survivors") list = message;
          if (message.type !== when || to !== a || list === undefined) return [message];
          const other = { ...list, survivors: list.survivors.filter(({ party }) => party !== b) };
          return [message, other];
        },
      },
    });
    t.is(endings(done)[a], "share_conflict", when);
  }
});

test("different models: a party shown another header refuses everyone's keys", async (t) => {
  const done = await attempt({
    consortium,
    bfv,
    options: {
      onWayDown: tampering("open", (message, to) => {
        if (to !== a) return [message];
        const header = JSON.parse(Buffer.from(message.header).toString());
        return [{ ...message, header: encodeHeader({ ...header, state: digestOf("another model") }) }];
      }),
      onWayUp: (from, message) => [from === a ? { ...message, roundId: roundId() } : message],
    },
  });
  t.deepEqual(faultsOf(done.coordinator)[0], `${a} signature_invalid`);

  // relayed under the other's roundId, the keys of the others are not signed for it
  const split = await attempt({
    consortium,
    bfv,
    options: {
      onWayDown: (to, message) => {
        if (to !== a) return [message];
        if (message.type === "open") return [{ ...message, header: otherHeader() }];
        return "roundId" in message ? [{ ...message, roundId: digestOf(otherHeader()) }] : [message];
      },
      onWayUp: (from, message) => {
        if (from !== a || message.type !== "advertise") return [message];
        const { maskKey, shareKey } = message;
        const { identity } = consortium.parties.get(a)!;
        const statement = { purpose: "advertise", maskKey, shareKey } as const;
        return [
          { ...message, roundId: roundId(), signature: signStatement(roundId(), a, statement, identity) },
        ];
      },
    },
  });
  t.is(endings(split)[a], "signature_invalid");
  t.deepEqual(split.sum?.survivors, [b, c, d]);

  function roundId() {
    return roundIdOf(simulatedHeader(consortium, { layout: smallLayout, minCohort: 2, round: 1 }, ids));
  }
  function otherHeader() {
    const subject = { layout: smallLayout, minCohort: 2, round: 1, state: digestOf("another model") };
    return encodeHeader(simulatedHeader(consortium, subject, ids));
  }
});

test("substituted key: a key that its party did not sign for this round is refused by name", async (t) => {
  const done = await attempt({
    consortium,
    bfv,
    options: {
      onWayDown: tampering("keys", (message, to) => [
        to === a
          ? {
              ...message,
              advertised: message.advertised.map((key) =>
                key.party === b ? { ...key, maskKey: new Uint8Array(randomBytes(32)) } : key,
              ),
            }
          : message,
      ]),
    },
  });
  const state = done.parties.get(a)!;
  t.is(endings(done)[a], "signature_invalid");
  t.is(state.phase === "refused" ? state.refusal.party : "", b);
});

test("a key shown twice, or this party's own exchanged, is refused", async (t) => {
  const shown = async (rewrite: (message: Down<"keys">) => Down<"keys">) =>
    endings(
      await attempt({
        consortium,
        bfv,
        options: { onWayDown: tampering("keys", (message, to) => [to === a ? rewrite(message) : message]) },
      }),
    )[a];
  t.is(await shown((m) => ({ ...m, advertised: [...m.advertised, m.advertised.at(-1)!] })), "key_duplicate");
  t.is(
    await shown((m) => ({ ...m, advertised: m.advertised.filter(({ party }) => party !== a) })),
    "header_mismatch",
  );
});

test("a key that another party signed as its own is refused by name", async (t) => {
  const done = await attempt({
    consortium,
    bfv,
    options: {
      onWayDown: tampering("keys", (message, to) => {
        const [first, second, ...rest] = message.advertised;
        const { identity } = consortium.parties.get(b)!;
        const { maskKey, shareKey } = first!;
        const statement = { purpose: "advertise", maskKey, shareKey } as const;
        const signature = signStatement(message.roundId, b, statement, identity);
        return [
          to === c
            ? { ...message, advertised: [first!, { ...second!, ...statement, signature }, ...rest] }
            : message,
        ];
      }),
    },
  });
  const state = done.parties.get(c)!;
  t.is(endings(done)[c], "key_duplicate");
  t.is(state.phase === "refused" ? state.refusal.party : "", b);
});

test("replayed attempt: an attempt seen, or a round whose sum was released, is refused", async (t) => {
  for (const last of [
    { round: 1, attempt: 1, released: false },
    { round: 1, attempt: 0, released: true },
    { round: 2, attempt: 1, released: false },
  ]) {
    const done = await attempt({
      consortium,
      bfv,
      options: { facts: (_, header) => ({ ...willingFacts(header), last }) },
    });
    t.is(endings(done)[a], "round_replayed");
  }
});

test("subset sum: a survivor list below the minimum is refused", async (t) => {
  const done = await attempt({
    consortium,
    bfv,
    subject: { minCohort: 3 },
    options: {
      onWayDown: tampering("survivors", (message, to) => [
        { ...message, survivors: message.survivors.filter(({ party }) => party === to || party === a) },
      ]),
    },
  });
  t.deepEqual(Object.values(endings(done)), new Array(4).fill("too_few_survivors"));
});

test("subset sum: one party's own ciphertext in place of the sum is refused, as is any part of it", async (t) => {
  let submitted: readonly string[] = [];
  const done = await attempt({
    consortium,
    bfv,
    options: {
      onWayUp: (from, message) => {
        if (from === b && message.type === "submit") submitted = message.chunks;
        return [message];
      },
      onWayDown: tampering("aggregate", (message, to) => [
        to === a ? { ...message, chunks: submitted } : message,
      ]),
    },
  });
  t.is(endings(done)[a], "release_invalid");
  const said = done.roundRecords.filter(({ kind }) => kind === "fault");
  t.is(said.length, 1);
});

test("tampered aggregate: bytes that are no ciphertext, or not those announced, are refused", async (t) => {
  const tampered = async (
    onFetch: (blob: Uint8Array) => Uint8Array,
    rewrite = (m: Down<"aggregate">) => m,
  ) => {
    let begun = false;
    return endings(
      await attempt({
        consortium,
        bfv,
        options: {
          onWayDown: tampering("aggregate", (message) => {
            begun = true;
            return [rewrite(message)];
          }),
          onFetch: (_, blob) => (begun ? onFetch(blob) : blob),
        },
      }),
    )[a];
  };
  t.is(await tampered(flipped), "digest_mismatch");
  t.is(
    await tampered(
      (blob) => blob,
      (m) => ({ ...m, chunks: [...m.chunks, ...m.chunks] }),
    ),
    "ciphertext_malformed",
  );
});

test("a tampered submission: the party whose ciphertext was exchanged sees another digest", async (t) => {
  const done = await attempt({
    consortium,
    bfv,
    options: {
      onWayDown: tampering("survivors", (message) => [
        {
          ...message,
          survivors: message.survivors.map((s) => (s.party === c ? { ...s, digest: digestOf("other") } : s)),
        },
      ]),
    },
  });
  t.is(endings(done)[c], "digest_mismatch");
  t.is(done.sum, undefined);
});

test("a second, different aggregate is refused: one sum a round", async (t) => {
  let submitted: readonly string[] = [];
  const done = await attempt({
    consortium,
    bfv,
    options: {
      onWayUp: (from, message) => {
        if (from === b && message.type === "submit") submitted = message.chunks;
        return [message];
      },
      onWayDown: tampering("aggregate", (message, to) =>
        to === a ? [message, { ...message, chunks: submitted }] : [message],
      ),
    },
  });
  t.is(endings(done)[a], "message_unexpected");
});

test("a Sybil cohort: parties of one organisation count once", async (t) => {
  const members = new Map([
    ["one", "Alone Ltd"],
    ["two", "Alone Ltd"],
    ["three", "Other Ltd"],
  ]);
  const sybil = await foundConsortium("test", members, bfv, seededRandom("sybil"));
  await t.throwsAsync(attempt({ consortium: sybil, bfv, subject: { minCohort: 3 } }), {
    message: /minCohort/,
  });
  const done = await attempt({
    consortium: sybil,
    bfv,
    options: { facts: (_, header) => ({ ...willingFacts(header), policy: policy(3) }) },
  });
  t.deepEqual(new Set(Object.values(endings(done))), new Set(["policy_refuses"]));
  function policy(minCohort: number) {
    return { minCohort, algorithms: ["simulated"], unprotected: ["noise"] };
  }
});

// A party attacks

const survivorsOf = ({ sum }: SimulatedAttempt): readonly string[] => sum?.survivors ?? [];

test("a wrong self-mask seed is named, and rebuilt from the others' shares", async (t) => {
  const done = await attempt({
    consortium,
    bfv,
    options: {
      onWayUp: lying(b, "unmask", (m) => [{ ...m, selfMaskSeed: new Uint8Array(randomBytes(32)) }]),
    },
  });
  t.deepEqual([...(done.sum?.sum.values ?? [])], smallSum([0, 1, 2, 3]));
  t.deepEqual(faultsOf(done.coordinator), [`${b} share_invalid`]);
});

test("a wrong share is found among enough right ones, and its holder named", async (t) => {
  const eight = await consortiumOf(8, bfv);
  const all = partyIds(8);
  const done = await attempt({
    consortium: eight,
    bfv,
    options: {
      dropsBefore: (party) => (party === all[7] ? "submit" : undefined),
      onWayUp: lying(b, "unmask", (m) => [
        { ...m, maskKey: m.maskKey.map(({ party, share }) => ({ party, share: flipped(share) })) },
      ]),
    },
  });
  t.deepEqual([...(done.sum?.sum.values ?? [])], smallSum([0, 1, 2, 3, 4, 5, 6]));
  t.true(faultsOf(done.coordinator).includes(`${b} share_invalid`));
});

test("shares that open for nobody: whoever gave them is named once its secret is missed", async (t) => {
  const done = await attempt({
    consortium,
    bfv,
    options: {
      dropsBefore: (party) => (party === d ? "unmask" : undefined),
      onWayUp: lying(d, "share", (m) => [
        {
          ...m,
          sealed: m.sealed.map(({ party, ciphertext }) => ({ party, ciphertext: flipped(ciphertext) })),
        },
      ]),
    },
  });
  const { coordinator } = done;
  t.is(coordinator.phase === "aborted" && coordinator.reason, "share_invalid");
  t.true(faultsOf(coordinator).includes(`${d} share_invalid`));
  t.deepEqual(coordinator.phase === "aborted" && coordinator.excluded, [d]);
});

test("spoiled shares that leave a party below T make it refuse, naming their sender", async (t) => {
  const two = await consortiumOf(2, bfv);
  const done = await attempt({
    consortium: two,
    bfv,
    options: {
      onWayUp: lying(b, "share", (m) => [
        {
          ...m,
          sealed: m.sealed.map(({ party, ciphertext }) => ({ party, ciphertext: flipped(ciphertext) })),
        },
      ]),
    },
  });
  const state = done.parties.get(a)!;
  t.is(endings(done)[a], "share_invalid");
  t.is(state.phase === "refused" ? state.refusal.party : "", b);
});

test("a submission whose digest is not of its ciphertexts costs the party its place", async (t) => {
  const { identity } = consortium.parties.get(b)!;
  const done = await attempt({
    consortium,
    bfv,
    options: {
      onWayUp: lying(b, "submit", (m) => {
        const statement = {
          purpose: "submit",
          chunks: m.chunks,
          digest: digestOf("x"),
          commitment: m.commitment,
        };
        const digest = digestOf("x");
        const signature = signStatement(m.roundId, b, { ...statement, purpose: "submit" }, identity);
        return [{ ...m, digest, signature }];
      }),
    },
  });
  t.deepEqual(faultsOf(done.coordinator)[0], `${b} digest_mismatch`);
  t.deepEqual(survivorsOf(done), [a, c, d]);
  t.deepEqual([...(done.sum?.sum.values ?? [])], smallSum([0, 2, 3]));
});

test("a submission of garbage bytes is refused before SEAL sees it", async (t) => {
  const { identity } = consortium.parties.get(b)!;
  const garbage = new Uint8Array(randomBytes(32_962));
  const chunks = [digestOf(garbage)];
  const done = await attempt({
    consortium,
    bfv,
    options: {
      onUpload: (from, blob) => (from === b ? garbage : blob),
      onWayUp: lying(b, "submit", (m) => {
        const said = { chunks, digest: submissionDigest(chunks), commitment: m.commitment };
        const signature = signStatement(m.roundId, b, { purpose: "submit", ...said }, identity);
        return [{ ...m, ...said, signature }];
      }),
    },
  });
  t.is(faultsOf(done.coordinator)[0], `${b} ciphertext_malformed`);
  t.deepEqual([...(done.sum?.sum.values ?? [])], smallSum([0, 2, 3]));
});

test("a lying first releaser is named, and another gives the sum in the same attempt", async (t) => {
  const { identity } = consortium.parties.get(a)!;
  const lie = (m: Up<"released">): Up<"released"> => {
    const sum = flipped(m.sum);
    const digest = digestOf(sum);
    return {
      ...m,
      sum,
      digest,
      signature: signStatement(m.roundId, a, { purpose: "release", digest }, identity),
    };
  };
  const lies: Record<string, (m: Up<"released">) => Up<"released">> = {
    "another sum, signed": lie,
    "another sum than signed": (m) => ({ ...m, sum: flipped(m.sum) }),
    "a sum cut short": (m) => ({ ...m, sum: m.sum.subarray(6) }),
    "no sum": (m) => ({ ...m, sum: new Uint8Array() }),
  };
  for (const [name, rewrite] of Object.entries(lies)) {
    const done = await attempt({
      consortium,
      bfv,
      options: { onWayUp: lying(a, "released", (m) => [rewrite(m)]) },
    });
    t.deepEqual([...(done.sum?.sum.values ?? [])], smallSum([0, 1, 2, 3]), name);
    t.regex(faultsOf(done.coordinator).join(), new RegExp(a), name);
  }
});

for (const liar of ids.slice(1))
  test(`a digest of another sum is named, before or after the majority is found: ${liar}`, async (t) => {
    const { identity } = consortium.parties.get(liar)!;
    const done = await attempt({
      consortium,
      bfv,
      options: {
        onWayUp: lying(liar, "released", (m) => {
          const digest = digestOf("another sum");
          const signature = signStatement(m.roundId, liar, { purpose: "release", digest }, identity);
          return [{ ...m, digest, signature }];
        }),
      },
    });
    t.deepEqual([...(done.sum?.sum.values ?? [])], smallSum([0, 1, 2, 3]));
    t.deepEqual(faultsOf(done.coordinator), [`${liar} digest_mismatch`]);
  });

test("without a majority the release is disputed", async (t) => {
  const done = await attempt({
    consortium,
    bfv,
    options: {
      onWayUp: (from, m) => {
        if (m.type !== "released" || from === a || from === b) return [m];
        const { identity } = consortium.parties.get(from)!;
        const digest = digestOf(`sum of ${from}`);
        const signature = signStatement(m.roundId, from, { purpose: "release", digest }, identity);
        return [{ ...m, digest, signature }];
      },
    },
  });
  t.is(done.sum, undefined);
  t.is(done.coordinator.phase === "aborted" && done.coordinator.reason, "release_disputed");
});

test("late: who misses a deadline is named and the others go on", async (t) => {
  const done = await attempt({
    consortium,
    bfv,
    options: { onWayUp: lying(c, "submit", () => []) },
  });
  t.deepEqual(faultsOf(done.coordinator), [`${c} party_late`]);
  t.deepEqual([...(done.sum?.sum.values ?? [])], smallSum([0, 1, 3]));
});

test("duplicate: the same again changes nothing, another is named", async (t) => {
  const same = await attempt({ consortium, bfv, options: { onWayUp: (_, m) => [m, m] } });
  t.deepEqual([...(same.sum?.sum.values ?? [])], smallSum([0, 1, 2, 3]));
  t.deepEqual(faultsOf(same.coordinator), []);

  const { identity } = consortium.parties.get(b)!;
  const other = await attempt({
    consortium,
    bfv,
    options: {
      onWayUp: lying(b, "submit", (m) => {
        const said = { chunks: m.chunks, digest: m.digest, commitment: digestOf("another seed") };
        const signature = signStatement(m.roundId, b, { purpose: "submit", ...said }, identity);
        return [m, { ...m, ...said, signature }];
      }),
    },
  });
  t.is(faultsOf(other.coordinator)[0], `${b} message_unexpected`);
  t.deepEqual([...(other.sum?.sum.values ?? [])], smallSum([0, 1, 2, 3]));
});

test("the coordinator's messages said twice get the same answer twice", async (t) => {
  const said = new Map<string, Set<string>>();
  const done = await attempt({
    consortium,
    bfv,
    options: {
      onWayDown: (_, m) => [m, m],
      onWayUp: (from, m) => {
        const key = `${from} ${m.type}`;
        said.set(key, (said.get(key) ?? new Set()).add(JSON.stringify(m)));
        return [m];
      },
    },
  });
  t.deepEqual([...(done.sum?.sum.values ?? [])], smallSum([0, 1, 2, 3]));
  t.true([...said.values()].every((answers) => answers.size === 1));
});

test("after step 5 a coordinator that crashed finishes from what it stored", async (t) => {
  const options = { bfv, contribute: (party: string) => smallVector(ids.indexOf(party)) };
  // it crashed: nobody heard of the aggregate
  const crashed = await attempt({
    consortium,
    bfv,
    options: { onWayDown: (_, m) => (m.type === "aggregate" || m.type === "closed" ? [] : [m]) },
  });
  t.is(crashed.sum, undefined);
  const [point] = crashed.points;
  const stored = JSON.parse(JSON.stringify(point));
  const resumed = await simulateResume(stored, crashed, consortium, options);
  t.deepEqual([...(resumed.sum?.sum.values ?? [])], smallSum([0, 1, 2, 3]));

  // and again, when the parties have already answered
  const again = await simulateResume(stored, { ...resumed, parties: crashed.parties }, consortium, options);
  t.is(again.sum?.digest, resumed.sum?.digest);
});
