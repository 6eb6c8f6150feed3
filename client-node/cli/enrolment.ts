import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { addressArgument } from "../../core/address-argument.ts";
import { secureRandom } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import { print, tell } from "../../core/terminal.ts";
import { publicIdentity } from "../../privacy/identity.ts";
import { fingerprint, noteSigner } from "../../privacy/log/note.ts";
import { signSuccession, successionLine } from "../../privacy/succession.ts";
import { Membership as MembershipService } from "../../proto/wire.ts";
import { readMemberConfig } from "../config.ts";
import {
  isEnrolled,
  makeNextIdentity,
  type Pins,
  parseCertificate,
  readSecrets,
  writePins,
} from "../federation/credentials.ts";
import { enrol } from "../federation/enrol.ts";
import { configFile, initCollecting, initNode, policyFile } from "../init.ts";
import { EgressLedger } from "../ledger/egress.ts";
import { openStore } from "../ledger/store.ts";
import { ledgerFile, requireLedger } from "../node.ts";
import { atDesk, type Common, commandOf } from "./node-folder.ts";

const collect = (value: string, previous: readonly string[]): readonly string[] => [...previous, value];

/** `node init`, `node enrol`: how an enterprise becomes a member. */
export function addEnrolment(node: Command): void {
  commandOf(
    node,
    "init",
    "make a node's folder: configuration, policy, keys",
    "init --dir mill --enterprise mill --consortium riverbank --coordinator bank.example:8443 --enrolment bank.example:8444",
  )
    .option("--collect-only", "for the plant alone: no bank, no keys; the bank's addresses can come later")
    .option("--enterprise <id>", "this enterprise's id in the consortium; with --collect-only, any")
    .option("--consortium <id>", "the consortium's id")
    .option("--coordinator <host:port>", "the bank's coordinator", addressArgument)
    .option("--enrolment <host:port>", "the bank's enrolment service", addressArgument)
    .option("--rows <file>", "CSV or Parquet file with training rows; may be repeated", collect, [])
    .option("--json", "print one JSON object")
    .action(init);
  commandOf(
    node,
    "enrol",
    "enrol with the bank's one-time token and pin its keys and the auditor's",
    "enrol --dir mill --token TOKEN",
  )
    .requiredOption("--token <token>", "as the bank gave it, over another channel")
    .option("--json", "print one JSON object")
    .action(enrolNode);
  commandOf(
    node,
    "rotate-key",
    "make this node's next identity key, and propose it to bank and auditor",
    "rotate-key --dir mill",
  )
    .option("--json", "print one JSON object")
    .action(rotateKey);
}

/** Makes the node's next identity and proposes it, signed by both. Until bank and auditor have signed, the old one is used. */
async function rotateKey({ dir, json }: Common): Promise<void> {
  const { consortium, dataDir, enterprise } = readMemberConfig(configFile(dir));
  await atDesk(dir, async ({ credentials, transport }) => {
    const now = credentials.identity;
    const next = makeNextIdentity(dataDir, now.name, secureRandom);
    const { verifierKey: to, hpkeKey } = publicIdentity(next);
    const succession = signSuccession(
      consortium,
      { holder: enterprise, from: publicIdentity(now).verifierKey, to, hpkeKey },
      noteSigner(now.name, now.signingSeed),
      noteSigner(next.name, next.signingSeed),
    );
    const line = successionLine(succession);
    await transport.call(MembershipService.service.ProposeSuccession, { line });
    if (json) print(JSON.stringify({ identityKey: to, fingerprint: fingerprint(to) }));
    else print(`identity key  ${to}\nfingerprint   ${fingerprint(to)}`);
  });
  tell(
    "in force once the auditor has signed the roster with it: tell the auditor the fingerprint over another channel; the node then goes on with it by itself",
  );
}

interface InitFlags {
  readonly dir: string;
  readonly collectOnly?: true;
  readonly enterprise?: string;
  readonly consortium?: string;
  readonly coordinator?: string;
  readonly enrolment?: string;
  readonly rows: readonly string[];
  readonly json?: true;
}

async function init(flags: InitFlags): Promise<void> {
  const { dir, enterprise, consortium, coordinator, enrolment, rows, json } = flags;
  const ofBank = { enterprise, consortium, coordinator, enrolment };
  if (flags.collectOnly) {
    const { enterprise: _, ...others } = ofBank;
    const given = Object.entries(others).find(([, value]) => value !== undefined);
    if (given !== undefined)
      throw new Refusal("usage", `--${given[0]} does not go with --collect-only, which has no bank`);
    if (rows.length > 0) throw new Refusal("usage", "--rows does not go with --collect-only");
    await initCollecting(dir, enterprise ?? "plant");
    if (json) print(JSON.stringify({ config: resolve(configFile(dir)) }));
    tell(`wrote ${configFile(dir)}: name what to read there, then fedcredit node collect --dir ${dir}`);
    return;
  }
  if (!enterprise || !consortium || !coordinator || !enrolment) {
    const [missing] = Object.entries(ofBank).find(([, value]) => !value)!;
    const value = missing === "enterprise" || missing === "consortium" ? "id" : "host:port";
    throw new Refusal("usage", `required option '--${missing} <${value}>' not specified`, {
      hint: "the bank says what it is; without a bank, fedcredit node init --collect-only",
    });
  }
  const config = await initNode(
    dir,
    {
      enterprise,
      consortium,
      coordinator,
      enrolment,
      ...(rows.length > 0 ? { rows: { files: [...rows] } } : {}),
    },
    secureRandom,
  );
  const { verifierKey } = publicIdentity(readSecrets(config.dataDir).identity);
  if (json) print(JSON.stringify({ config: resolve(configFile(dir)), identityKey: verifierKey }));
  else print(`identity key  ${verifierKey}`);
  tell(`wrote ${configFile(dir)} and ${policyFile(dir)}: policy.yaml allows nothing yet`);
  for (const file of rows)
    if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true)
      tell(`${resolve(file)} is no file yet: nothing can be consented to until the rows are there`);
}

async function enrolNode({ dir, token, json }: Common & { readonly token: string }): Promise<void> {
  const config = readMemberConfig(configFile(dir));
  const again = isEnrolled(config.dataDir);
  if (again) requireLedger(config.dataDir);
  const secrets = readSecrets(config.dataDir);
  const db = openStore(ledgerFile(config.dataDir));
  const ledger = new EgressLedger(db, secrets);
  const pins = await enrol({
    consortium: config.consortium,
    enterprise: config.enterprise,
    address: config.enrolment,
    token,
    secrets,
    now: Date.now(),
    beforeSend: (departures) => ledger.recordDepartures(departures, Date.now()),
  }).finally(() => db.close());
  try {
    writePins(config.dataDir, pins);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const hint = `${error.hint}; then ask the bank for a new token: this one is used`;
    throw new Refusal(error.reason, error.message, { hint, cause: error });
  }
  if (again) tell("enrolled before: the pins of then are replaced");
  showFingerprints(pins, publicIdentity(secrets.identity).verifierKey, json === true);
}

function showFingerprints(pins: Pins, identityKey: string, json: boolean): void {
  const keys = {
    authority: parseCertificate(pins.ca).fingerprint256.replaceAll(":", "").toLowerCase(),
    bank: fingerprint(pins.bankKey),
    auditor: fingerprint(pins.auditorKey),
    identity: fingerprint(identityKey),
  };
  if (json) {
    print(
      JSON.stringify({
        enterprise: pins.enterprise,
        consortium: pins.consortium,
        bankKey: pins.bankKey,
        auditorKey: pins.auditorKey,
        identityKey,
        fingerprints: keys,
      }),
    );
    return;
  }
  print(`enrolled as ${pins.enterprise} in ${pins.consortium}`);
  print(`bank key      ${pins.bankKey}`);
  print(`auditor key   ${pins.auditorKey}`);
  print(`identity key  ${identityKey}`);
  for (const [name, digest] of Object.entries(keys)) print(`SHA-256 ${name.padEnd(10)} ${digest}`);
  tell("compare these with the bank and the auditor over another channel");
}
