/**
 * How the .proto files become TypeScript: one loader for both sides, refusals as gRPC status and back,
 * and the conversion between a oneof message and a tagged union with hexadecimal digests.
 */
import { fileURLToPath } from "node:url";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { isReason, type Reason, Refusal, reasons } from "../core/reasons.ts";
import { boundElements } from "./elements.ts";
import type { ProtoGrpcType as AuditTypes } from "./generated/audit.ts";
import type { ProtoGrpcType as FederationTypes } from "./generated/federation.ts";

/** Raised whenever an older peer would misunderstand a message. */
export const protocolVersion = 2;
/** Largest data field of an upload or download chunk, bytes. */
export const chunkBytes = 256 * 1024;
/**
 * HTTP/2 receive window of a stream and of a connection, bytes. The default of 64 KiB caps one upload
 * at 1.6 MiB/s over a 40 ms round trip.
 */
export const flowControlWindow = 8 * 1024 * 1024;

const protoFile = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const definition = boundElements(
  loadSync([protoFile("./federation.proto"), protoFile("./audit.proto")], {
    longs: Number,
    defaults: true,
    oneofs: true,
  }),
);

type Services = FederationTypes["fedcredit"]["v1"] & AuditTypes["fedcredit"]["v1"];

/** The services: each `.service` defines its methods, for a server and for `WireClient`. */
export const { Enrolment, Health, Membership, Studies, Scores, Registry, Blobs, Rounds, Log, Warnings } = (
  grpc.loadPackageDefinition(definition) as unknown as { fedcredit: { v1: Services } }
).fedcredit.v1;

/**
 * The DNS name in every coordinator's certificate. A consortium's authority certifies nobody else under it, so a
 * client checks this name whatever address it was told to connect to.
 */
export const coordinatorName = "coordinator.fedcredit";

/**
 * Two clocks further apart than this mean different things by the times in consents, cosignatures and certificates.
 */
export const clockToleranceMillis = 5 * 60_000;

/** Options of every client. Messages stay small: bulk travels as chunks. */
export const channelOptions: grpc.ChannelOptions = {
  "grpc.ssl_target_name_override": coordinatorName,
  "grpc.max_receive_message_length": 16 * 1024 * 1024,
  // By default two minutes: whoever was away so long would be back long before it is looked for.
  "grpc.max_reconnect_backoff_ms": 10_000,
  "grpc.keepalive_time_ms": 20_000,
  "grpc.keepalive_timeout_ms": 10_000,
  "grpc.keepalive_permit_without_calls": 1,
  "grpc-node.flow_control_window": flowControlWindow,
};

const reasonKey = "fedcredit-reason";
const partyKey = "fedcredit-party";
const hintKey = "fedcredit-hint-bin";

/** @returns the gRPC status a refusal travels as; anything else is `internal` and keeps its text to itself. */
export function statusOf(error: unknown): grpc.ServiceError {
  const refusal = error instanceof Refusal ? error : new Refusal("internal", "internal error");
  const metadata = new grpc.Metadata();
  metadata.set(reasonKey, refusal.reason);
  if (refusal.party !== undefined) metadata.set(partyKey, refusal.party);
  if (refusal.hint !== reasons[refusal.reason].hint) metadata.set(hintKey, Buffer.from(refusal.hint));
  const code = reasons[refusal.reason].code as grpc.status;
  return Object.assign(new Error(refusal.message), { code, details: refusal.message, metadata });
}

const transportReasons: Partial<Record<grpc.status, Reason>> = {
  [grpc.status.UNAVAILABLE]: "unavailable",
  [grpc.status.CANCELLED]: "unavailable",
  [grpc.status.DEADLINE_EXCEEDED]: "deadline",
  [grpc.status.UNAUTHENTICATED]: "certificate_invalid",
  [grpc.status.RESOURCE_EXHAUSTED]: "rate_limited",
  [grpc.status.INVALID_ARGUMENT]: "message_malformed",
};

/** @returns the refusal a failed call stands for: the peer's own, or what the transport reports. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const status = error as Partial<grpc.ServiceError>;
  const [reason] = status.metadata?.get(reasonKey) ?? [];
  const text = status.details ?? status.message ?? String(error);
  if (typeof reason === "string" && isReason(reason)) {
    const [party] = status.metadata?.get(partyKey) ?? [];
    const [hint] = status.metadata?.get(hintKey) ?? [];
    return new Refusal(reason, text, {
      ...(party === undefined ? {} : { party: String(party) }),
      ...(hint === undefined ? {} : { hint: String(hint) }),
      cause: error,
    });
  }
  // TLS failures reach a gRPC client only as the text of UNAVAILABLE. A server renews its certificate while it runs and
  // at each start: one that is not in force is so by the clock that looks.
  if (status.code === grpc.status.UNAVAILABLE && /certificate (?:is not yet valid|has expired)/i.test(text))
    return new Refusal(
      "clock_skew",
      "by this machine's clock the coordinator's certificate is not in force",
      {
        hint: "synchronise the clocks of this machine and the coordinator's",
        cause: error,
      },
    );
  if (status.code === grpc.status.UNAVAILABLE && /certificate|self.signed|tls.*alert|CERT_/i.test(text))
    return new Refusal("certificate_invalid", text, { cause: error });
  if (status.code === grpc.status.UNIMPLEMENTED)
    return new Refusal("protocol_version", text, {
      hint: "update the older of node and coordinator, or give the coordinator's address and not that of its enrolment",
      cause: error,
    });
  const known = status.code === undefined ? undefined : transportReasons[status.code];
  // "No connection established. Last error: Error: connect ECONNREFUSED …. Resolution note: "
  const cause = /Last error: (?:Error: )?(.*?)\.? Resolution note:/s.exec(text)?.[1];
  return new Refusal(known ?? "internal", cause ?? text, { cause: error });
}

/** Fields that hold a SHA-256 digest: 32 raw bytes on the wire, 64 hexadecimal digits in TypeScript. */
const digestFields = new Set([
  "roundId",
  "opening",
  "digest",
  "chunks",
  "sealedDigests",
  "nonceCommitment",
  "noiseCommitment",
  "commitment",
  "aggregate",
  "certificate",
]);

type Plain = Record<string, unknown>;

/** @throws Refusal message_malformed */
function digestText(bytes: Uint8Array, field: string): string {
  if (bytes.length !== 0 && bytes.length !== 32)
    throw new Refusal("message_malformed", `${field} is not a SHA-256 digest`);
  return Buffer.from(bytes).toString("hex");
}

function fieldFromWire(name: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => fieldFromWire(name, item));
  if (value instanceof Uint8Array)
    return digestFields.has(name) ? digestText(value, name) : new Uint8Array(value);
  if (typeof value === "object" && value !== null) return fieldsFromWire(value as Plain);
  return value;
}

const fieldsFromWire = (message: Plain): Plain =>
  Object.fromEntries(Object.entries(message).map(([name, value]) => [name, fieldFromWire(name, value)]));

function fieldToWire(name: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => fieldToWire(name, item));
  if (value instanceof Uint8Array) return value;
  if (typeof value === "string") return digestFields.has(name) ? Buffer.from(value, "hex") : value;
  if (typeof value === "object" && value !== null) return fieldsToWire(value as Plain);
  return value;
}

const fieldsToWire = (message: Plain): Plain =>
  Object.fromEntries(
    Object.entries(message)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, fieldToWire(name, value)]),
  );

/**
 * @param message - a decoded message whose only field is the oneof `message`.
 * @returns `{ type, …fields }`: digests in hexadecimal, other bytes as Uint8Array.
 * @throws Refusal message_malformed when nothing is set or a digest has another length.
 */
export function fromOneof<Tagged extends { readonly type: string }>(message: {
  readonly message?: string;
}): Tagged {
  const type = message.message;
  const fields = type === undefined ? undefined : (message as Plain)[type];
  if (typeof fields !== "object" || fields === null)
    throw new Refusal("message_malformed", "the message is empty or of an unknown type");
  return { type, ...fieldsFromWire(fields as Plain) } as unknown as Tagged;
}

/** @returns the oneof message of a tagged union member: the inverse of {@link fromOneof}. */
export function toOneof<Wire>(tagged: { readonly type: string }): Wire {
  const { type, ...fields } = tagged;
  return { [type]: fieldsToWire(fields), message: type } as Wire;
}
