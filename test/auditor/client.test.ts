import test from "ava";
import { Refusal } from "../../core/reasons.ts";
import { parseCheckpoint } from "../../privacy/log/checkpoint.ts";
import { parseNote } from "../../privacy/log/note.ts";
import { LocalBank } from "../../simulate/consortium.ts";

const reasonOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "none",
    (error: unknown) => (error instanceof Refusal ? error.reason : String(error)),
  );

test("the auditor cosigns a log that grows, and nothing else", async (t) => {
  const bank = await LocalBank.start();
  t.teardown(() => bank.stop());
  const auditor = bank.auditor();
  t.teardown(() => auditor.close());
  const first = await auditor.witness(undefined, Date.now());
  t.like(parseCheckpoint(parseNote(await bank.operator.checkpoint()).text), { size: 2, root: first.root });
  await bank.enrolAll(["lathe", "mill"]);
  const second = await auditor.witness(first, Date.now());
  t.true(second.size > first.size);
  const types: string[] = [];
  for await (const [index, { type }] of auditor.entries(0, second.size, second)) types[index] = type;
  t.is(types.length, second.size);
  t.is(types[0], "consortium.created");
  // Proven against the tree that was witnessed: another tree's root proves nothing.
  const forged = { ...second, note: first.note };
  t.is(await reasonOf(auditor.entries(first.size, second.size, forged).next()), "log_invalid");
  const { signatures } = parseNote(await bank.operator.checkpoint());
  t.deepEqual(
    signatures.map(({ name }) => name),
    ["riverbank/bank", "auditor"],
  );
  // The same log after it was rewound, rewritten, or replaced by a shorter one.
  const otherRoot = new Uint8Array(32).fill(7);
  t.is(await reasonOf(auditor.witness({ size: second.size, root: otherRoot }, Date.now())), "log_forked");
  t.is(await reasonOf(auditor.witness({ size: first.size, root: otherRoot }, Date.now())), "log_forked");
  t.is(await reasonOf(auditor.witness({ ...second, size: second.size + 1 }, Date.now())), "log_forked");
});
