/** The services of proto/ on top of the coordinator's parts. What each caller may do is the first argument. */
import { readFileSync } from "node:fs";
import type * as grpc from "@grpc/grpc-js";
import type { Digest } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import type { BlobsHandlers } from "../../proto/generated/fedcredit/v1/Blobs.ts";
import type { EnrolmentHandlers } from "../../proto/generated/fedcredit/v1/Enrolment.ts";
import type { HealthHandlers } from "../../proto/generated/fedcredit/v1/Health.ts";
import type { LogHandlers } from "../../proto/generated/fedcredit/v1/Log.ts";
import type { MembershipHandlers } from "../../proto/generated/fedcredit/v1/Membership.ts";
import type { RoundsHandlers } from "../../proto/generated/fedcredit/v1/Rounds.ts";
import type { StudiesHandlers } from "../../proto/generated/fedcredit/v1/Studies.ts";
import type { UploadChunk__Output } from "../../proto/generated/fedcredit/v1/UploadChunk.ts";
import {
  Blobs,
  chunkBytes,
  Enrolment,
  Health,
  Log,
  Membership,
  protocolVersion,
  Rounds,
  Studies,
} from "../../proto/wire.ts";
import type { Role } from "../authority/ca.ts";
import * as membership from "../authority/membership.ts";
import type { Bank } from "../bank.ts";
import type { Participants } from "../rounds/participants.ts";
import type { BlobStatus } from "../store/blobs.ts";
import * as studies from "../studies/studies.ts";
import { exportLog } from "./export.ts";
import { Methods } from "./transport.ts";
import { Witnesses } from "./witnesses.ts";

export const softwareVersion: string = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
).version;

const everyone: readonly Role[] = ["enterprise", "operator", "auditor"];
const operator: readonly Role[] = ["operator"];
const auditor: readonly Role[] = ["auditor"];
const enterprise: readonly Role[] = ["enterprise"];

/** @throws Refusal message_malformed */
function digestText(bytes: Buffer): Digest {
  if (bytes.length !== 32) throw new Refusal("message_malformed", "a SHA-256 digest has 32 bytes");
  return bytes.toString("hex");
}

/** Served without client certificates, on its own port. */
export function registerEnrolment(server: grpc.Server, bank: Bank): void {
  const handlers: EnrolmentHandlers = {
    Enrol: new Methods(bank).open(async (request) => ({
      ...(await membership.enrol(bank, request)),
      caPem: bank.authority.certificatePem,
      consortium: bank.config.consortium,
      bankKey: bank.bankKey.key,
      auditorKey: bank.auditorKey.key,
    })),
  };
  server.addService(Enrolment.service, handlers);
}

export function registerServices(
  server: grpc.Server,
  bank: Bank,
  participants: Participants,
  isDraining: () => boolean,
): void {
  const methods = new Methods(bank);
  const witnesses = new Witnesses(bank);

  const health: HealthHandlers = {
    Check: methods.unary(everyone, async () => ({
      protocolVersion,
      softwareVersion,
      timeMillis: bank.clock.now(),
      draining: isDraining(),
    })),
  };

  const members: MembershipHandlers = {
    GetRoster: methods.unary(everyone, async () => {
      const current = await membership.currentRoster(bank);
      if (current === undefined)
        throw new Refusal("not_found", "there is no roster yet", {
          hint: "the bank admits, the auditor countersigns",
        });
      return { note: current.note };
    }),
    GetPendingRoster: methods.unary(["operator", "auditor"], async () => ({
      note: await membership.pendingRosterNote(bank),
    })),
    CountersignRoster: methods.unary(auditor, async ({ note }) => ({
      note: await membership.countersign(bank, note),
    })),
    CreateToken: methods.unary(operator, (request) => membership.createToken(bank, request)),
    Admit: methods.unary(operator, async ({ enterprises }) => ({
      note: await membership.admit(bank, enterprises),
    })),
  };

  const study: StudiesHandlers = {
    Propose: methods.unary(operator, ({ canonicalJson }) => studies.propose(bank, canonicalJson)),
    Start: methods.unary(operator, (request) => studies.start(bank, digestText(request.study))),
    Stop: methods.unary(operator, (request) => studies.stop(bank, digestText(request.study))),
    List: methods.unary(everyone, async () => ({ studies: await studies.list(bank) })),
    Get: methods.unary(everyone, (request) => studies.status(bank, digestText(request.study))),
    Follow: methods.download(everyone, (request, signal) =>
      studies.follow(bank, digestText(request.study), signal),
    ),
    Consent: methods.unary(enterprise, ({ study, expiresMillis, note }, { id }) =>
      studies.consent(bank, id, { study: digestText(study), expiresMillis, note }),
    ),
    Withdraw: methods.unary(enterprise, (request, { id }) =>
      studies.withdraw(bank, id, digestText(request.study)),
    ),
    GetModel: methods.unary(everyone, async (request) => {
      const { document, digest } = await studies.model(bank, digestText(request.study));
      return { canonicalJson: Buffer.from(document), digest: Buffer.from(digest, "hex") };
    }),
  };

  const blobs: BlobsHandlers = {
    Stat: methods.unary(enterprise, ({ digest }, { id }) =>
      bank.blobs.uploads.status(digestText(digest), id),
    ),
    Upload: methods.upload(enterprise, (chunks, { id }) => upload(bank, chunks, id)),
    Download: methods.download(everyone, async function* ({ digest, offset }) {
      for await (const data of bank.blobs.published.read(digestText(digest), offset, chunkBytes))
        yield { data };
    }),
  };

  const rounds: RoundsHandlers = {
    Participate: methods.duplex(enterprise, ({ id }, call) => participants.serve(id, call)),
  };

  const log: LogHandlers = {
    GetCheckpoint: methods.unary(everyone, async () => ({ note: (await bank.privacyLog.checkpoint()).note })),
    GetConsistency: methods.unary(everyone, async ({ oldSize, newSize }) => ({
      hashes: (await bank.privacyLog.consistency(oldSize, newSize)).map((hash) => Buffer.from(hash)),
    })),
    GetInclusion: methods.unary(everyone, async ({ index, size }) => {
      const { hashes, entry } = await bank.privacyLog.inclusion(index, size);
      return { hashes: hashes.map((hash) => Buffer.from(hash)), entry: Buffer.from(entry) };
    }),
    GetEntries: methods.download(everyone, async function* ({ start, end }) {
      for await (const { index, entry } of bank.privacyLog.entries(start, end))
        yield { index, entry: Buffer.from(entry) };
    }),
    Cosign: methods.unary(["enterprise", "auditor"], async ({ size, line }, caller) => ({
      note: await witnesses.cosign(caller, size, line),
    })),
    ReportLedger: methods.unary(enterprise, async ({ note }, { id }) => {
      await witnesses.reportLedger(id, note);
      return { note: (await bank.privacyLog.checkpoint()).note };
    }),
    Export: methods.download(["operator", "auditor"], async function* () {
      for await (const data of exportLog(bank)) yield { data: Buffer.from(data) };
    }),
  };

  server.addService(Health.service, health);
  server.addService(Membership.service, members);
  server.addService(Studies.service, study);
  server.addService(Blobs.service, blobs);
  server.addService(Rounds.service, rounds);
  server.addService(Log.service, log);
}

/** @throws Refusal upload_offset, upload_too_large, digest_mismatch, disk_full, message_malformed */
async function upload(
  bank: Bank,
  chunks: AsyncIterable<UploadChunk__Output>,
  owner: string,
): Promise<BlobStatus> {
  const items = chunks[Symbol.asyncIterator]();
  const first = await items.next();
  if (first.done) throw new Refusal("message_malformed", "an upload has at least one chunk");
  const digest = digestText(first.value.digest);
  const { size } = first.value;
  const held = await bank.blobs.uploads.status(digest, owner);
  if (held.complete) return held;
  const upload = await bank.blobs.uploads.upload(digest, size, owner);
  try {
    for (let item: IteratorResult<UploadChunk__Output> = first; !item.done; item = await items.next()) {
      const { offset, data } = item.value;
      if (data.length > chunkBytes)
        throw new Refusal("message_malformed", `a chunk has at most ${chunkBytes} bytes`);
      await upload.write(offset, data);
    }
    await upload.commit();
    return { committed: size, complete: true };
  } finally {
    await upload.close();
  }
}
