import test from "ava";
import { Refusal } from "../../core/reasons.ts";
import { Blobs, Rounds, Studies } from "../../proto/wire.ts";

const varint = (value: number): number[] =>
  value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];

/** A field of variable length. */
const field = (number: number, content: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([...varint(8 * number + 2), ...varint(content.length)]), content]);

/** Nothing but empty elements of a field, in so many bytes. */
const empties = (number: number, bytes: number): Buffer =>
  Buffer.alloc(bytes, field(number, new Uint8Array()));

const {
  requestDeserialize: up,
  responseDeserialize: down,
  requestSerialize,
  responseSerialize,
} = Rounds.service.Participate;

const bombs: Readonly<Record<string, () => unknown>> = {
  "digests to fetch": () => Blobs.service.Fetch.requestDeserialize(empties(1, 4e6)),
  "sealed shares": () => up(field(4, empties(2, 4e6))),
  "digests of a submission": () => up(field(9, empties(2, 4e6))),
  "shares of an unmasking": () => up(field(11, empties(3, 4e6))),
  "messages, again and again": () => up(empties(4, 4e6)),
  "advertisements, to a node": () => down(field(2, empties(2, 16e6))),
  "chunks within submissions, to a node": () => down(field(11, field(3, empties(2, 16e6)))),
  "studies, to a node": () => Studies.service.List.responseDeserialize(empties(1, 16e6)),
};

for (const [what, decode] of Object.entries(bombs))
  test(`a message of empty ${what} is refused before it is decoded`, (t) => {
    t.is(t.throws(decode, { instanceOf: Refusal })?.reason, "message_malformed");
  });

test("what is no message at all is refused, or left to the decoder", (t) => {
  for (const bytes of [
    Buffer.alloc(30_000, 255),
    Buffer.alloc(30_000, 0x0b),
    field(4, Buffer.alloc(30_000, 0x12)),
    field(4, empties(2, 30_000)).subarray(0, -1),
  ])
    t.throws(() => up(bytes));
});

test("the largest messages of the protocol, of the shortest names, are taken", (t) => {
  const bytes = (length: number): Buffer => Buffer.alloc(length, 7);
  const many = <Item>(count: number, item: Item): Item[] => Array<Item>(count).fill(item);
  const share = { party: "a", share: bytes(33) };
  const unmask = { roundId: bytes(32), selfMask: many(4096, share), maskSecret: many(4096, share) };
  t.notThrows(() => up(requestSerialize({ message: "unmask", unmask })));
  const submit = { roundId: bytes(32), chunks: many(100_000, bytes(32)) };
  t.notThrows(() => up(requestSerialize({ message: "submit", submit })));
  const seed = { party: "a", seed: bytes(32) };
  const submission = { party: "a", chunks: many(100, bytes(32)), signature: bytes(64) };
  const aggregate = { submissions: many(4096, submission), seeds: many(4096, seed), noise: many(4096, seed) };
  t.notThrows(() => down(responseSerialize({ message: "aggregate", aggregate })));
  const nonces = many(4096, { party: "a", nonce: bytes(32) });
  t.notThrows(() => down(responseSerialize({ message: "epochNonces", epochNonces: { nonces } })));
});
