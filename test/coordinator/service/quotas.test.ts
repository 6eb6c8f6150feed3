import { type EventEmitter, once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import * as grpc from "@grpc/grpc-js";
import test from "ava";
import { within } from "../../../bench/cases/within.ts";
import type { NodeCredentials } from "../../../client-node/federation/credentials.ts";
import { openOperator } from "../../../coordinator/authority/keys.ts";
import { UploadAllowance } from "../../../coordinator/rounds/upload-allowance.ts";
import { quotas } from "../../../coordinator/service/quotas.ts";
import { splitAddress } from "../../../core/address.ts";
import { digestOf, sha256 } from "../../../core/canonical.ts";
import { secureRandom } from "../../../core/random.ts";
import { type Reason, Refusal } from "../../../core/reasons.ts";
import { signCheckpoint } from "../../../privacy/log/checkpoint.ts";
import { signConsent } from "../../../privacy/log/consent.ts";
import { noteSigner } from "../../../privacy/log/note.ts";
import { chunkCount, seededBytes } from "../../../privacy/sum/encryption/bfv-format.ts";
import { planPacking } from "../../../privacy/sum/layout.ts";
import { WireClient } from "../../../proto/client.ts";
import {
  Blobs,
  channelOptions,
  coordinatorName,
  Health,
  Log,
  Membership,
  protocolVersion,
  Rounds,
  refusalOf,
  Studies,
} from "../../../proto/wire.ts";
import { consortiumName, LocalBank } from "../../../simulate/consortium.ts";
import { borrowerFeatures, studyOf } from "../../support/rows.ts";

/** Waits that the coordinator has begun; the tests end them. */
const waits = new Set<() => void>();
/** The first wait for a download to be read on. */
const unread = Promise.withResolvers<() => void>();
let offsetMillis = 0;
const clock = {
  now: () => Date.now() + offsetMillis,
  after: (seconds: number, fire: () => void) => {
    const timer = setTimeout(fire, seconds * 1000);
    const wait = () => {
      clearTimeout(timer);
      waits.delete(wait);
      fire();
    };
    if (seconds === quotas.silentSeconds) waits.add(wait);
    if (seconds === quotas.unreadSeconds) unread.resolve(wait);
    return () => {
      clearTimeout(timer);
      waits.delete(wait);
    };
  },
};
const silenceIsOver = (): void => {
  for (const wait of [...waits]) wait();
};

const bank = await LocalBank.start({}, { clock });
const credentials = await bank.enrolAll(["alder", "birch", "cedar"]);
const outsider = await bank.enrol("dogwood");
test.after.always(() => bank.stop());

const keysOf = ({ ca, certificate, tlsKey }: NodeCredentials) => ({
  authorityPem: ca,
  certificatePem: certificate,
  privateKeyPem: tlsKey,
});
const clientOf = (of: NodeCredentials): WireClient => new WireClient(bank.coordinator.address, keysOf(of));

const reasonOf = async (work: Promise<unknown>): Promise<Reason | "none"> => {
  try {
    await work;
    return "none";
  } catch (error) {
    return refusalOf(error).reason;
  }
};

/** Ends the coordinator's patience until something is closed by it. */
async function closedBy(closed: Promise<unknown>): Promise<void> {
  let done = false;
  closed.finally(() => {
    done = true;
  });
  while (!done) {
    silenceIsOver();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Unlike `once`, a reset is a close too. */
const closing = (emitter: EventEmitter): Promise<void> =>
  new Promise((resolve) => void emitter.once("close", () => resolve()));

const tlsTo = (address: string, of?: NodeCredentials) =>
  connectTls({
    ...splitAddress(address),
    servername: coordinatorName,
    ca: outsider.ca,
    ALPNProtocols: ["h2"],
    ...(of === undefined ? {} : { cert: of.certificate, key: of.tlsKey }),
  }).on("error", () => {});

test.serial("connections that say nothing are closed, on both ports", async (t) => {
  const alder = credentials.get("alder")!;
  for (const address of [bank.coordinator.address, bank.coordinator.enrolmentAddress]) {
    const { host, port } = splitAddress(address);
    const silent: [string, () => Socket][] = [
      ["TCP without TLS", () => connect(port, host)],
      ["TLS without HTTP/2", () => tlsTo(address)],
      ["TLS with a certificate", () => tlsTo(address, alder)],
    ];
    for (const [what, open] of silent) {
      const socket = open();
      socket.on("error", () => {}).resume();
      const closed = closing(socket);
      await once(socket, what.startsWith("TLS") ? "secureConnect" : "connect");
      await closedBy(closed);
      t.true(socket.destroyed, `${what} ${address}`);
    }
    const session = connectHttp2(`https://${address}`, { createConnection: () => tlsTo(address) });
    session.on("error", () => {});
    await once(session, "remoteSettings");
    const closed = closing(session);
    await closedBy(closed);
    t.true(session.destroyed, "HTTP/2 without a call");
  }
});

const asIs = (bytes: Buffer): Buffer => bytes;

/** A call of bytes that the caller makes up. @returns why it is refused */
const refusalOfBytes = (path: string, bytes: Buffer, of?: NodeCredentials): Promise<Reason | "none"> => {
  const pem = (text: string | undefined) => (text === undefined ? null : Buffer.from(text));
  const client = new grpc.Client(
    bank.coordinator.address,
    grpc.credentials.createSsl(Buffer.from(outsider.ca), pem(of?.tlsKey), pem(of?.certificate)),
    { ...channelOptions, "grpc.use_local_subchannel_pool": 1 },
  );
  const said = new Promise<never>((_, reject) => {
    client.makeServerStreamRequest(path, asIs, asIs, bytes, new grpc.Metadata()).on("error", reject).resume();
  });
  return reasonOf(said).finally(() => client.close());
};

test.serial("nothing is decoded of who shows no certificate, nor more than a message may hold", async (t) => {
  const { path } = Blobs.service.Fetch;
  const undecodable = Buffer.from([7]);
  t.is(await refusalOfBytes(path, undecodable), "certificate_invalid");
  const alder = credentials.get("alder")!;
  t.is(await refusalOfBytes(path, undecodable, alder), "internal", "the control: it is decoded");
  // Two million digests of no length took two gigabytes.
  t.is(await refusalOfBytes(path, Buffer.alloc(4e6, Buffer.from([10, 0])), alder), "internal");
  t.is(await refusalOfBytes(path, Buffer.alloc(400, Buffer.from([10, 0])), alder), "message_malformed");
});

test.serial("calls that are opened and say nothing end by name; one that has spoken goes on", async (t) => {
  const { ca, certificate, tlsKey } = credentials.get("alder")!;
  const client = new grpc.Client(
    bank.coordinator.address,
    grpc.credentials.createSsl(Buffer.from(ca), Buffer.from(tlsKey), Buffer.from(certificate)),
    { ...channelOptions, "grpc.use_local_subchannel_pool": 1 },
  );
  t.teardown(() => client.close());
  const endOf = (call: grpc.ClientDuplexStream<Buffer, Buffer>): Promise<Reason> =>
    new Promise((resolve) => {
      call.on("error", (error) => resolve(refusalOf(error).reason));
      call.on("data", () => {});
    });
  const open = (path: string) =>
    client.makeBidiStreamRequest(path, asIs, asIs, new grpc.Metadata()) as grpc.ClientDuplexStream<
      Buffer,
      Buffer
    >;
  // The connection has spoken: what ends from here on are calls.
  const { path, requestSerialize: encode } = Health.service.Check;
  await new Promise((resolve) => {
    client.makeUnaryRequest(path, asIs, asIs, encode({ protocolVersion }), resolve);
  });
  // A unary method called as a stream: its request never comes.
  for (const { path } of [Rounds.service.Participate, Blobs.service.Upload, Studies.service.List]) {
    const ended = endOf(open(path));
    await closedBy(ended);
    t.is(await ended, "deadline", path);
  }
  const upload = open(Blobs.service.Upload.path);
  const half = endOf(upload);
  const status = new Promise<grpc.StatusObject>((resolve) => upload.on("status", resolve));
  const { requestSerialize } = Blobs.service.Upload;
  upload.write(requestSerialize({ digest: Buffer.alloc(32, 1), size: seededBytes, data: Buffer.alloc(9) }));
  await closedBy(status);
  t.not(await half, "internal");

  const participant = open(Rounds.service.Participate.path);
  let ended = false;
  void endOf(participant).then(() => {
    ended = true;
  });
  participant.write(
    Rounds.service.Participate.requestSerialize({
      hello: { protocolVersion, softwareVersion: "0" },
    }),
  );
  // Answered after the hello was taken: nobody waits for it any more.
  const wire = clientOf(credentials.get("alder")!);
  t.teardown(() => wire.close());
  for (let i = 0; i < 20; i++) {
    await wire.call(Health.service.Check, { protocolVersion });
    if (i > 9) silenceIsOver();
  }
  t.false(ended, "a member that said hello waits for as long as it likes");
  participant.cancel();
});

test.serial("a download that is not read on ends with its connection", async (t) => {
  const { authorityPem: ca, certificatePem: cert, privateKeyPem: key } = await openOperator(bank.config);
  const session = connectHttp2(`https://${bank.coordinator.address}`, {
    ...{ ca, cert, key, servername: coordinatorName },
    settings: { initialWindowSize: 0 },
  });
  session.on("error", () => {});
  const closed = once(session, "close");
  const stream = session.request({
    ...{ ":method": "POST", ":path": "/fedcredit.v1.Log/Export" },
    ...{ "content-type": "application/grpc", te: "trailers" },
  });
  stream.on("error", () => {});
  stream.end(Buffer.alloc(5));
  const timeIsUp = await within(() => "the coordinator waits for the reader", unread.promise);
  t.false(session.closed);
  timeIsUp();
  await within(() => "the connection is closed", closed);
  t.is((await bank.operator.studies()).length, 0, "others are served");
});

test.serial("connections are bounded by address, and by certificate once one was shown", async (t) => {
  const { host, port } = splitAddress(bank.coordinator.enrolmentAddress);
  const sockets: Socket[] = [];
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  let turnedAway = 0;
  for (let i = 0; i < quotas.connectionsPerAddress + 20; i++) {
    const socket = connect(port, host);
    socket.on("error", () => {}).resume();
    socket.on("close", () => void turnedAway++);
    sockets.push(socket);
    await once(socket, "connect");
  }
  while (turnedAway < 20) await new Promise((resolve) => setTimeout(resolve, 10));
  t.is(turnedAway, 20);

  // Members are not in their way, and each has its own bound.
  const [alder, birch] = [credentials.get("alder")!, credentials.get("birch")!];
  const clients = Array.from({ length: quotas.connectionsPerCertificate }, () => clientOf(alder));
  t.teardown(() => {
    for (const client of clients) client.close();
  });
  const check = (client: WireClient) => reasonOf(client.call(Health.service.Check, { protocolVersion }));
  for (const client of clients) t.is(await check(client), "none");
  const outcomes: string[] = [];
  for (let i = 0; i < 10; i++) {
    const more = clientOf(alder);
    clients.push(more);
    outcomes.push(await check(more));
    // What was let through was closed right after.
    outcomes.push(await check(more));
  }
  t.true(outcomes.filter((outcome) => outcome !== "none").length >= 10, outcomes.join(" "));
  const other = clientOf(birch);
  clients.push(other);
  t.is(await check(other), "none");
  t.is(await check(clients[0]!), "none", "the first ones stay");
});

test.serial(
  "who has enrolled and is not in the roster reads nothing and stores nothing, by name",
  async (t) => {
    const client = clientOf(outsider);
    t.teardown(() => client.close());
    const study = Buffer.alloc(32);
    const calls: [string, () => Promise<unknown>][] = [
      ["GetRoster", () => client.call(Membership.service.GetRoster, {})],
      ["List", () => client.call(Studies.service.List, {})],
      ["Get", () => client.call(Studies.service.Get, { study })],
      ["Consent", () => client.call(Studies.service.Consent, { study, expiresMillis: 1, note: "" })],
      ["Withdraw", () => client.call(Studies.service.Withdraw, { study })],
      ["GetModel", () => client.call(Studies.service.GetModel, { study })],
      ["Stat", () => client.call(Blobs.service.Stat, { digest: study })],
      ["Upload", () => client.upload(Blobs.service.Upload, [{ digest: study, size: 1, data: study }])],
      ["GetCheckpoint", () => client.call(Log.service.GetCheckpoint, {})],
      ["GetInclusion", () => client.call(Log.service.GetInclusion, { index: 0, size: 1 })],
      ["GetConsistency", () => client.call(Log.service.GetConsistency, { oldSize: 1, newSize: 2 })],
      ["ReportLedger", () => client.call(Log.service.ReportLedger, { note: "" })],
      ...(
        [
          ["Follow", Studies.service.Follow, Studies.service.Follow.requestSerialize({ study })],
          [
            "GetCertificates",
            Studies.service.GetCertificates,
            Studies.service.GetCertificates.requestSerialize({ study }),
          ],
          ["Fetch", Blobs.service.Fetch, Blobs.service.Fetch.requestSerialize({ digests: [study] })],
        ] as const
      ).map(([name, method, request]): [string, () => Promise<unknown>] => [
        name,
        () => client.download(method as typeof Studies.service.Follow, request).next(),
      ]),
      [
        "Participate",
        async () => {
          const stream = client.duplex(Rounds.service.Participate);
          for await (const _ of stream);
        },
      ],
    ];
    for (const [name, call] of calls) t.is(await reasonOf(call()), "roster_mismatch", name);
    t.is(await reasonOf(client.call(Health.service.Check, { protocolVersion })), "none");
  },
);

const consentTo = (study: string, enterprise: string, expires: number) => {
  const { name, signingSeed } = credentials.get(enterprise)!.identity;
  const note = signConsent(
    { consortium: consortiumName, enterprise, study, expires },
    noteSigner(name, signingSeed),
  );
  return { study: Buffer.from(study, "hex"), expiresMillis: expires, note };
};

test.serial(
  "consent said again is no news; said anew too often it is refused by name, taken back never",
  async (t) => {
    const study = await bank.operator.propose(studyOf(borrowerFeatures, [{ name: "range" }]));
    const client = clientOf(credentials.get("birch")!);
    t.teardown(() => client.close());
    const logSize = async (): Promise<number> => {
      const { note } = await client.call(Log.service.GetCheckpoint, {});
      return Number(note.split("\n")[1]);
    };
    const say = (expires: number) => client.call(Studies.service.Consent, consentTo(study, "birch", expires));
    const expires = Date.now() + 10 * 86_400_000;
    await say(expires);
    const size = await logSize();
    for (let i = 0; i < 5; i++) await say(expires);
    t.is(await logSize(), size);
    for (let i = 1; i < quotas.consentsPerHour; i++) await say(expires + i);
    t.is(await logSize(), size + quotas.consentsPerHour - 1);
    const refused = await t.throwsAsync(say(expires + 99), { instanceOf: Refusal });
    t.is(refused?.reason, "rate_limited");
    t.regex(refused!.hint, /in (59|60) minutes/);
    await client.call(Studies.service.Withdraw, { study: Buffer.from(study, "hex") });
    t.deepEqual((await bank.operator.study(study)).consented, []);
    t.is(await reasonOf(say(expires)), "rate_limited");
    await client.call(Studies.service.Withdraw, { study: Buffer.from(study, "hex") });
    t.is(await logSize(), size + quotas.consentsPerHour);
    const other = clientOf(credentials.get("cedar")!);
    t.teardown(() => other.close());
    t.is(await reasonOf(other.call(Studies.service.Consent, consentTo(study, "cedar", expires))), "none");
    offsetMillis = 3_601_000;
    t.is(await reasonOf(say(expires)), "none");
    offsetMillis = 0;
  },
);

test.serial(
  "a ledger is reported into the log once, until an attempt ends; a forked one is refused all the same",
  async (t) => {
    const { identity } = credentials.get("alder")!;
    const client = clientOf(credentials.get("alder")!);
    t.teardown(() => client.close());
    const report = (size: number, entry = "") => {
      const root = sha256(`${size}${entry}`);
      const note = signCheckpoint(
        { origin: identity.name, size, root },
        noteSigner(identity.name, identity.signingSeed),
      );
      return client.call(Log.service.ReportLedger, { note });
    };
    const before = Number((await client.call(Log.service.GetCheckpoint, {})).note.split("\n")[1]);
    for (let size = 1; size <= 10; size++) await report(size);
    const after = Number((await client.call(Log.service.GetCheckpoint, {})).note.split("\n")[1]);
    t.is(after, before + 1);
    t.is(await reasonOf(report(1, "another")), "log_forked");
  },
);

test.serial("a member stores nothing that is for no open attempt of its own", async (t) => {
  const client = clientOf(credentials.get("cedar")!);
  t.teardown(() => client.close());
  const data = Buffer.from(secureRandom.bytes(100));
  const digest = Buffer.from(digestOf(data), "hex");
  const upload = (roundId: Buffer) =>
    reasonOf(client.upload(Blobs.service.Upload, [{ digest, size: data.length, offset: 0, data, roundId }]));
  t.is(await upload(Buffer.alloc(32)), "message_unexpected");
  t.is(await upload(Buffer.alloc(0)), "message_malformed");
  const { committed, complete } = await client.call(Blobs.service.Stat, { digest });
  t.deepEqual([Number(committed), complete], [0, false]);
});

test("an open attempt lets each of its cohort store one submission, and is cleared when it ends", (t) => {
  const allowance = new UploadAllowance();
  const layout = { blocks: [{ name: "x", length: 9000, bound: 1e9, step: 1 }] };
  const roundId = digestOf("round");
  const reason = (party: string, content: string, bytes = seededBytes, of = roundId) => {
    try {
      allowance.take(of, party, digestOf(content), bytes);
      return "taken";
    } catch (error) {
      return (error as Refusal).reason;
    }
  };
  t.is(reason("alder", "0"), "message_unexpected");
  allowance.open(roundId, { layout, cohort: ["alder", "birch"], minCohort: 2, follows: null });
  t.is(reason("cedar", "0"), "message_unexpected");
  t.is(reason("alder", "0", seededBytes + 1), "upload_too_large");
  let most = 0;
  while (reason("alder", `${most}`) === "taken") most++;
  t.true(most > 1);
  t.is(most, chunkCount(planPacking(layout, 2).slots));
  t.is(reason("alder", "0"), "taken", "the same one again, after a broken connection");
  t.is(reason("alder", "another"), "upload_too_large");
  t.is(reason("birch", "b"), "taken");
  const other = digestOf("other");
  allowance.open(other, { layout, cohort: ["alder"], minCohort: 2, follows: null });
  t.is(reason("alder", "another", seededBytes, other), "taken", "each attempt has its own");
  t.is(allowance.close(roundId).length, most + 1);
  t.is(reason("alder", "0"), "message_unexpected");
  t.deepEqual(allowance.close(other), [{ party: "alder", digest: digestOf("another") }]);
  t.deepEqual(allowance.close(other), []);
});
