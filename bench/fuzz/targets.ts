/** Every parser of bytes that a peer, a device, a file or an auditor's counterpart gives, with valid inputs of it. */
import { policySchema } from "../../client-node/policy.ts";
import { decodeAnswer } from "../../collectors/bacnet/protocol.ts";
import { answerTo, encodeFrame, takeFrame } from "../../collectors/dlt645.ts";
import { decodeMessage as decodeGb32960, decodeReport } from "../../collectors/gb32960.ts";
import { decodeFrame as decodeHj212 } from "../../collectors/hj212.ts";
import { decodeAsdu, takeApdu } from "../../collectors/iec104/protocol.ts";
import { decodeBatch, decodeLocation } from "../../collectors/jt808/location.ts";
import { decodeMessage } from "../../collectors/jt808.ts";
import { readPayload } from "../../collectors/mqtt/payload.ts";
import { decodeSentence } from "../../collectors/nmea.ts";
import { frameLength, readAnswer, S7Error } from "../../collectors/s7/protocol.ts";
import { canonicalBytes } from "../../core/canonical.ts";
import { seededRandom } from "../../core/random.ts";
import { parseYaml } from "../../core/yaml.ts";
import { decodeWeights, encodeWeights } from "../../models/network/weights.ts";
import { partyName, runPlain } from "../../models/plain.ts";
import { parseManifest, type StudyManifest } from "../../models/study.ts";
import { checkAlgorithms, parseStudyState, type StudyState, startStudy } from "../../models/study-loop.ts";
import { parseEntry } from "../../privacy/log/entry.ts";
import { openEpochRecord } from "../../privacy/log/epoch-record.ts";
import { readExport } from "../../privacy/log/export.ts";
import { parseNote, parseVerifierKey } from "../../privacy/log/note.ts";
import { parsePolicy } from "../../privacy/log/policy.ts";
import { formatReceipt, parseReceipt } from "../../privacy/log/proof.ts";
import { formatCheckpoint, parseCheckpoint } from "../../privacy/log/tree-head.ts";
import { formatRoster, parseRoster } from "../../privacy/roster.ts";
import { parseCertificate, verifyCertificate } from "../../privacy/sum/certificate.ts";
import { encodeEpochHeader, parseEpochHeader } from "../../privacy/sum/epoch/header.ts";
import { parseHeader } from "../../privacy/sum/header.ts";
import { dequantizeSum, planPacking } from "../../privacy/sum/layout.ts";
import { decodeSum } from "../../privacy/sum/sum-encoding.ts";
import { parseToken } from "../../proto/token.ts";
import * as sample from "../../test/support/log.ts";
import { borrowerFeatures, borrowers, studyOf } from "../../test/support/rows.ts";
import { readVectors } from "../../test/support/vectors.ts";
import type { Form } from "./mutate.ts";

export interface Target {
  readonly name: string;
  readonly form: Form;
  /** Valid: each is taken without a refusal. */
  readonly seeds: readonly Uint8Array[];
  /** @throws Refusal where the bytes are not valid; anything else thrown is a defect. */
  run(bytes: Uint8Array): unknown;
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");
const utf8 = (from: string): Uint8Array => Buffer.from(from);
const random = seededRandom("fuzz seeds");

const policyYaml = `minCohort: 3
minRows: 20
exactSums: { perTable: 500, cohortChange: refuse }
allow:
  algorithms: [range, summary, logistic]
  purposes: &purposes [credit risk]
unprotected: [noise]
maxEpsilon: { lifetime: 8 }
consentDays: 90
fields:
  - { name: amount, class: operational, level: C1, operator: keep }
  - { name: age, class: quasi, level: C2, operator: bins, origin: 0, width: 10 }
anonymity: { k: 5, l: 2, t: 0.3, maxSuppressionRate: 0.02 }
`;

/** Inputs of an honest study: one log, and what stands in it. */
const log = sample.sampleLog();
const itemsOf = (type: string): Uint8Array[] =>
  log.items.flatMap((item) => (item.type === type && "bytes" in item ? [item.bytes] : []));
const certificates = itemsOf("certificate");
const headers = itemsOf("header");
const exported = await log.export();
const checkpoint = log.checkpoint();
const sumOf = (certificate: Uint8Array) => {
  const { sum, header, survivors } = parseCertificate(certificate);
  return { bytes: Buffer.from(sum, "base64"), header, survivors: survivors.length };
};
const firstSum = sumOf(certificates[0]!);
const packing = planPacking(firstSum.header.layout, firstSum.header.cohort.length);

const jt808 = readVectors("jt808.json") as Readonly<Record<string, string>>;
const frames = ["location2013", "location2019", "batch2019", "batch2013"].map((name) =>
  Buffer.from(jt808[name]!, "hex").subarray(1, -1),
);
const bodies = frames.map((frame) => decodeMessage(frame).body);
const sentences = [
  "$GNRMC,101112,A,2234.567,N,11356.789,E,10.5,84.4,010126,,*",
  "$GNGGA,101112,2234.567,N,11356.789,E,1,08,0.9,12.3,M,,M,,*",
].map((start) => {
  const sum = [...start.slice(1, -1)].reduce((xor, letter) => xor ^ letter.charCodeAt(0), 0);
  return utf8(`${start}${sum.toString(16).padStart(2, "0")}`);
});
/** Four bytes of a data block. */
const s7Answer = Buffer.from("0300001d02f08032030000000100020008000004" + "01ff04002042480000", "hex");
/** A measured value with its time. */
const iecFrame = Buffer.from("6819020000002401030001000a00000000c8410010270c0f05031a", "hex");
/** An analog value, status flags, an error. */
const bacnetAnswers = [
  "810a00160100300a0c0c0000000119553e4441cc00003f",
  "810a00150100300b0c0c00000001196f3e8204003f",
  "810a000d0100500a0c9101911f",
].map((hex) => {
  const frame = Buffer.from(hex, "hex");
  frame.writeUInt16BE(frame.length, 2);
  return frame;
});
const meter = "000000000001";
const vehicleFrame = Buffer.from((readVectors("gb32960.json") as { report: string }).report, "hex");
const vehicleReport = decodeGb32960(vehicleFrame).data;
const origin = { device: "d", metric: undefined, received: 1e15, delivery: 1, first: true };
const jsonTopic = {
  topic: "a",
  format: "json",
  records: "rows",
  time: { path: "t", as: "s", zone: "+00:00" },
  sequence: "n",
  fields: [{ path: "v", metric: "power", unit: "kW" }],
} as unknown as Parameters<typeof readPayload>[0];

/** A study that deals its members to groups. */
const grouped: StudyManifest = {
  ...studyOf(borrowerFeatures, [
    { name: "range" },
    { name: "bins", cells: 64 },
    { name: "additive", maxSteps: 2, binsPerColumn: 2 },
  ]),
  groups: [0, 3, 6].map((first) => [0, 1, 2].map((i) => partyName(first + i))),
};

/** @returns the state in which two groups' sums wait for the third. */
async function waitingForGroups(): Promise<StudyState> {
  let found: StudyState | undefined;
  await runPlain(
    grouped,
    Array.from({ length: 9 }, () => borrowers()),
    {
      onRound(state) {
        if (state.groupSums?.length === 2) found ??= state;
      },
    },
  );
  return found!;
}

/** Every parser of bytes that a peer, a device, a file or the other side's log brings. */
export const targets: readonly Target[] = [
  { name: "round header", form: "json", seeds: headers, run: parseHeader },
  {
    name: "sum certificate",
    form: "json",
    seeds: certificates,
    run: (bytes) =>
      verifyCertificate(parseCertificate(bytes), sample.roster, sample.epoch.open.confirmations),
  },
  {
    name: "released sum",
    form: "bytes",
    seeds: [firstSum.bytes],
    run: (bytes) => dequantizeSum(decodeSum(bytes, packing.slots), packing, firstSum.survivors),
  },
  {
    name: "epoch header",
    form: "json",
    seeds: [encodeEpochHeader(sample.epoch.open.header)],
    run: parseEpochHeader,
  },
  {
    name: "epoch record",
    form: "json",
    seeds: itemsOf("epoch"),
    run: (bytes) => openEpochRecord(jsonOf(bytes), sample.roster),
  },
  {
    name: "manifest",
    form: "json",
    seeds: [...itemsOf("manifest"), ...[grouped, { ...grouped, gate: "none" }].map(canonicalBytes)],
    run: (bytes) => checkAlgorithms(parseManifest(bytes).manifest),
  },
  {
    name: "study state",
    form: "json",
    seeds: [canonicalBytes(startStudy(sample.manifest))],
    run: (bytes) => parseStudyState(sample.manifest, jsonOf(bytes)),
  },
  {
    name: "study state between the sums of groups",
    form: "json",
    seeds: [canonicalBytes(await waitingForGroups())],
    run: (bytes) => parseStudyState(grouped, jsonOf(bytes)),
  },
  { name: "log entry", form: "json", seeds: itemsOf("entry"), run: parseEntry },
  {
    name: "export",
    form: "text",
    seeds: [exported],
    run: async (bytes) => {
      const { records } = await readExport([bytes]);
      for await (const _record of records);
    },
  },
  { name: "note", form: "text", seeds: [utf8(checkpoint)], run: (bytes) => parseNote(text(bytes)) },
  {
    name: "checkpoint",
    form: "text",
    seeds: [utf8(formatCheckpoint(log.state()))],
    run: (bytes) => parseCheckpoint(text(bytes)),
  },
  {
    name: "roster",
    form: "text",
    seeds: [utf8(formatRoster(sample.roster))],
    run: (bytes) => parseRoster(text(bytes)),
  },
  {
    name: "log policy",
    form: "text",
    seeds: [utf8(sample.policyText)],
    run: (bytes) => parsePolicy(text(bytes)),
  },
  {
    name: "receipt",
    form: "text",
    seeds: [
      utf8(
        formatReceipt({
          index: 3,
          proof: [random.bytes(32), random.bytes(32)],
          entry: itemsOf("entry")[3]!,
          checkpoint,
        }),
      ),
    ],
    run: (bytes) => parseReceipt(text(bytes)),
  },
  {
    name: "verifier key",
    form: "text",
    seeds: [utf8(sample.policyText.split("\n")[0]!.split(" ")[1]!)],
    run: (bytes) => parseVerifierKey(text(bytes)),
  },
  {
    name: "enrolment token",
    form: "text",
    seeds: [utf8(`secret.${"0a".repeat(32)}`)],
    run: (bytes) => parseToken(text(bytes)),
  },
  {
    name: "policy.yaml",
    form: "text",
    seeds: [utf8(policyYaml)],
    run: (bytes) => parseYaml(text(bytes), "policy.yaml", policySchema),
  },
  {
    name: "weights",
    form: "text",
    seeds: [utf8(encodeWeights([0.5, -1, 2]))],
    run: (bytes) => decodeWeights(text(bytes)),
  },
  { name: "JT/T 808 frame", form: "bytes", seeds: frames, run: decodeMessage },
  {
    name: "JT/T 808 location",
    form: "bytes",
    seeds: bodies.slice(0, 2),
    run: (bytes) => decodeLocation(Buffer.from(bytes)),
  },
  {
    name: "JT/T 808 batch",
    form: "bytes",
    seeds: bodies.slice(2),
    run: (bytes) => decodeBatch(Buffer.from(bytes)),
  },
  { name: "NMEA sentence", form: "text", seeds: sentences, run: (bytes) => decodeSentence(text(bytes)) },
  {
    name: "DL/T 645 frame",
    form: "bytes",
    seeds: [encodeFrame({ address: meter, control: 0x91, data: Buffer.from("000001001234", "hex") })],
    run: (bytes) => {
      const { frame } = takeFrame(Buffer.from(bytes));
      return frame && answerTo(frame, meter, "00010000");
    },
  },
  {
    name: "S7 answer",
    form: "bytes",
    seeds: [s7Answer],
    run: (bytes) => {
      const frame = Buffer.from(bytes);
      frameLength(frame);
      try {
        return readAnswer(frame, 1, { area: "DB", db: 1, start: 0, bytes: 4 });
      } catch (error) {
        // The controller's own word, which is told of its tags.
        if (error instanceof S7Error) return undefined;
        throw error;
      }
    },
  },
  {
    name: "IEC 60870-5-104 frame",
    form: "bytes",
    seeds: [iecFrame],
    run: (bytes) => {
      const taken = takeApdu(Buffer.from(bytes));
      return taken?.apdu.kind === "I" ? decodeAsdu(taken.apdu.asdu) : taken;
    },
  },
  { name: "BACnet answer", form: "bytes", seeds: bacnetAnswers, run: decodeAnswer },
  {
    name: "HJ 212 frame",
    form: "bytes",
    seeds: [Buffer.from((readVectors("hj212.json") as { interval: string }).interval)],
    run: decodeHj212,
  },
  {
    name: "GB/T 32960 report",
    form: "bytes",
    seeds: [vehicleReport],
    run: decodeReport,
  },
  { name: "GB/T 32960 frame", form: "bytes", seeds: [vehicleFrame], run: decodeGb32960 },
  {
    name: "MQTT payload, JSON",
    form: "json",
    seeds: [utf8('{"rows":[{"t":1700000000,"n":1,"v":3.5},{"t":1700000001,"n":2,"v":4}]}')],
    run: (bytes) => readPayload(jsonTopic, Buffer.from(bytes), origin),
  },
];

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(text(bytes));
  } catch {
    return undefined;
  }
}
