import { once } from "node:events";
import type * as grpc from "@grpc/grpc-js";
import test from "ava";
import fc from "fast-check";
import { backoffMillis, Transport } from "../../../client-node/federation/transport.ts";
import type { Departure } from "../../../client-node/ledger/egress.ts";
import { LedgerFailure } from "../../../client-node/ledger/store.ts";
import { digestOf } from "../../../core/canonical.ts";
import { secureRandom, seededRandom } from "../../../core/random.ts";
import { Refusal } from "../../../core/reasons.ts";
import type { UploadChunk__Output } from "../../../proto/generated/fedcredit/v1/UploadChunk.ts";
import { Blobs, chunkBytes, Health, protocolVersion, statusOf } from "../../../proto/wire.ts";
import { serve, testConsortium } from "../../support/wire-server.ts";

const consortium = await testConsortium();
const other = await testConsortium();
const roundId = "ab".repeat(32);

const healthy = (reply: object = {}) =>
  [
    Health.service,
    {
      Check: (_call: unknown, callback: grpc.sendUnaryData<object>) =>
        callback(null, {
          protocolVersion,
          softwareVersion: "0",
          timeMillis: 1_000_000_000,
          draining: false,
          ...reply,
        }),
    },
  ] as const;

function transportTo(
  address: string,
  {
    credentials = consortium.credentials,
    now = 1_000_000_000,
    beforeSend = (_: readonly Departure[]) => {},
  } = {},
): Transport {
  return new Transport({ address, credentials, beforeSend, now: () => now, random: secureRandom });
}

const reasonOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
  return "nothing was refused";
};

test("a healthy coordinator with the same clock and protocol passes", async (t) => {
  const server = await serve(consortium.authority, [healthy()]);
  const transport = transportTo(server.address);
  await t.notThrowsAsync(transport.checkHealth());
  t.true(transport.bytes.up > 0 && transport.bytes.down > 0);
  transport.close();
  server.stop();
});

const day = 86_400_000;
const refusals: [string, object, { now?: number }, string][] = [
  ["a clock a day ahead", {}, { now: 1_000_000_000 + day }, "clock_skew"],
  ["a clock a day behind", {}, { now: 1_000_000_000 - day }, "clock_skew"],
  ["a newer protocol", { protocolVersion: protocolVersion + 1 }, {}, "protocol_version"],
];
for (const [name, reply, options, reason] of refusals) {
  test(`${name}: ${reason}`, async (t) => {
    const server = await serve(consortium.authority, [healthy(reply)]);
    const transport = transportTo(server.address, options);
    t.is(await reasonOf(transport.checkHealth()), reason);
    transport.close();
    server.stop();
  });
}

test("a server under another authority, or of another name, is not talked to", async (t) => {
  const foreign = await serve(other.authority, [healthy()]);
  const named = await serve(consortium.authority, [healthy()], { hosts: ["bank.example"] });
  for (const server of [foreign, named]) {
    const transport = transportTo(server.address);
    t.is(await reasonOf(transport.checkHealth()), "certificate_invalid");
    transport.close();
    server.stop();
  }
});

test("a client certificate of another consortium is refused by the server", async (t) => {
  const server = await serve(consortium.authority, [healthy()]);
  const transport = transportTo(server.address, {
    credentials: { ...other.credentials, ca: consortium.credentials.ca },
  });
  t.not(await reasonOf(transport.checkHealth()), "nothing was refused");
  transport.close();
  server.stop();
});

/** A blob store whose first upload breaks off after some chunks. */
function flakyBlobs(breakAfterChunks: number) {
  const held = new Map<string, Buffer>();
  const offsets: number[] = [];
  let uploads = 0;
  const implementation = {
    Stat: (call: { request: { digest: Buffer; size: number } }, callback: grpc.sendUnaryData<object>) => {
      const { length } = held.get(call.request.digest.toString("hex")) ?? { length: 0 };
      callback(null, { committed: length, complete: length === call.request.size });
    },
    Upload: (
      call: grpc.ServerReadableStream<UploadChunk__Output, object>,
      callback: grpc.sendUnaryData<object>,
    ) => {
      const attempt = ++uploads;
      let chunks = 0;
      let digest = "";
      let size = 0;
      let ended = false;
      call.on("data", (chunk: UploadChunk__Output) => {
        if (ended) return;
        if (digest === "") {
          digest = chunk.digest.toString("hex");
          size = Number(chunk.size);
          offsets.push(Number(chunk.offset));
        }
        const before = held.get(digest) ?? Buffer.alloc(0);
        if (Number(chunk.offset) !== before.length) {
          ended = true;
          callback(statusOf(new Refusal("upload_offset", "another offset")));
          return;
        }
        held.set(digest, Buffer.concat([before, chunk.data]));
        if (attempt === 1 && ++chunks === breakAfterChunks) {
          ended = true;
          callback(statusOf(new Refusal("unavailable", "broken off")));
        }
      });
      call.on("end", () => {
        if (!ended) callback(null, { committed: size, complete: held.get(digest)?.length === size });
      });
    },
    Fetch: (call: grpc.ServerWritableStream<{ digests: Buffer[] }, object>) => {
      for (const digest of call.request.digests) {
        const content = held.get(digest.toString("hex")) ?? Buffer.from("something else");
        for (let at = 0; at < content.length; at += chunkBytes)
          call.write({
            data: content.subarray(at, at + chunkBytes),
            last: at + chunkBytes >= content.length,
          });
      }
      call.end();
    },
  };
  return { service: [Blobs.service, implementation] as const, held, offsets };
}

test("an upload that breaks off resumes where the coordinator's copy ends, and comes back whole", async (t) => {
  const { service, held, offsets } = flakyBlobs(2);
  const server = await serve(consortium.authority, [service]);
  const departures: Departure[] = [];
  const transport = transportTo(server.address, { beforeSend: (list) => void departures.push(...list) });
  const content = seededRandom("upload").bytes(3 * chunkBytes + 17);
  await transport.upload([content], roundId);
  t.deepEqual(offsets, [0, 2 * chunkBytes]);
  t.true(held.get(digestOf(content))?.equals(content));
  t.deepEqual(departures[0], {
    destination: server.address,
    kind: "Blobs.Upload",
    bytes: content.length,
    digest: digestOf(content),
    roundId,
  });
  const back = (await transport.downloadAll([digestOf(content)], roundId)).get(digestOf(content));
  t.deepEqual(Buffer.from(back!), Buffer.from(content));
  transport.close();
  server.stop();
});

/** Sends what it is asked for in its own way, and counts what was taken. */
async function sending(
  send: (write: (data: Uint8Array, last: boolean) => Promise<boolean>, content: Buffer) => Promise<void>,
) {
  const content = Buffer.from(seededRandom("sent").bytes(1000));
  const server = await serve(consortium.authority, [
    [
      Blobs.service,
      {
        Fetch: async (call: grpc.ServerWritableStream<object, object>) => {
          const write = async (data: Uint8Array, last: boolean): Promise<boolean> => {
            if (!call.cancelled && !call.write({ data, last }))
              await Promise.race([once(call, "drain"), once(call, "cancelled")]);
            return !call.cancelled;
          };
          await send(write, content);
          call.end();
        },
      },
    ] as const,
  ]);
  const transport = transportTo(server.address);
  const reason = await reasonOf(transport.downloadAll([digestOf(content)], roundId));
  transport.close();
  server.stop();
  return reason;
}

test("a download that does not end, or begins again, is left: it would fill the memory", async (t) => {
  const control = await sending(async (write, content) => void (await write(content, true)));
  t.is(control, "nothing was refused", "the control");
  let sent = 0;
  const endless = await sending(async (write) => {
    for (; sent < 400 && (await write(Buffer.alloc(chunkBytes), false)); sent++);
  });
  t.is(endless, "digest_mismatch");
  t.true(sent < 400, `${sent}`);
  let pieces = 0;
  const empty = await sending(async (write) => {
    for (; pieces < 100_000 && (await write(new Uint8Array(), false)); pieces++);
  });
  t.is(empty, "digest_mismatch");
  t.true(pieces < 100_000, `${pieces}`);
  const again = await sending(async (write, content) => {
    for (let i = 0; i < 3; i++) await write(content, true);
  });
  t.is(again, "digest_mismatch");
});

test("bytes of another digest are refused", async (t) => {
  const server = await serve(consortium.authority, [flakyBlobs(1).service]);
  const transport = transportTo(server.address);
  t.is(await reasonOf(transport.downloadAll(["cd".repeat(32)], roundId)), "digest_mismatch");
  transport.close();
  server.stop();
});

test("nothing leaves before it is written down", async (t) => {
  const { service, held } = flakyBlobs(1);
  let checks = 0;
  const server = await serve(consortium.authority, [
    service,
    [Health.service, { Check: () => void checks++ }],
  ]);
  const transport = transportTo(server.address, {
    beforeSend: () => {
      throw new LedgerFailure("disk_full", "the ledger's disk is full");
    },
  });
  t.is(await reasonOf(transport.checkHealth()), "disk_full");
  t.is(await reasonOf(transport.upload([Buffer.from("secret")], roundId)), "disk_full");
  const stream = transport.participate();
  t.throws(() => stream.send({ type: "hello", protocolVersion, softwareVersion: "0" }), {
    instanceOf: LedgerFailure,
  });
  stream.cancel();
  t.is(checks, 0);
  t.is(held.size, 0);
  t.is(transport.bytes.up, 0);
  transport.close();
  server.stop();
});

test("waits grow to ten seconds and are spread over their upper half", (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (tries, random) => {
        const ceiling = Math.min(10_000, 200 * 2 ** (tries - 1));
        const wait = backoffMillis(tries, random);
        t.true(wait >= ceiling / 2 && wait <= ceiling);
      },
    ),
  );
});
