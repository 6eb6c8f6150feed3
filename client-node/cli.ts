import { resolve } from "node:path";
import { Command } from "commander";
import { writeWhole } from "../core/files.ts";
import { findStudy, shortDigest } from "../core/ids.ts";
import { secureRandom } from "../core/random.ts";
import { Refusal } from "../core/reasons.ts";
import { readYaml } from "../core/yaml.ts";
import { manifestSchema, type StudyManifest } from "../models/study.ts";
import { purposeKeys } from "../privacy/desensitize/keys.ts";
import { publicIdentity } from "../privacy/identity.ts";
import { fingerprint } from "../privacy/log/note.ts";
import { openBfv } from "../privacy/sum/encryption/bfv.ts";
import { type NodeConfig, readNodeConfig } from "./config.ts";
import type { NodeEvent } from "./events.ts";
import {
  isEnrolled,
  type Pins,
  parseCertificate,
  readCredentials,
  readSecrets,
  writePins,
} from "./federation/credentials.ts";
import { enrol } from "./federation/enrol.ts";
import {
  consentTo,
  fetchModel,
  listStudies,
  openManifest,
  type StudyDesk,
  type StudyView,
  withdrawFrom,
} from "./federation/studies.ts";
import { configFile, initNode, policyFile } from "./init.ts";
import { seenManifests } from "./ledger/records.ts";
import { openStore } from "./ledger/store.ts";
import { ledgerFile, openDesk, startNode } from "./node.ts";
import { passwordFile, startOnSite } from "./on-site.ts";
import { writePassword } from "./page/access.ts";
import { askPassword } from "./page/ask-password.ts";
import { readPolicy } from "./policy.ts";
import { previewStudy } from "./preview/preview.ts";
import { describePreview } from "./preview/preview-text.ts";
import { desensitizationKey } from "./rows/desensitization-key.ts";
import { ownRecords } from "./rows/own-records.ts";
import { desensitizedRows } from "./rows/row-source.ts";

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
const tell = (text: string): void => {
  process.stderr.write(`${text}\n`);
};
const collect = (value: string, previous: readonly string[]): readonly string[] => [...previous, value];

interface Common {
  readonly dir: string;
  readonly json?: true;
}

/** `fedcredit node …`: the enterprise's process and its commands. */
export function nodeCommand(): Command {
  const node = new Command("node").description("the enterprise's process and its commands");
  const command = (name: string, description: string): Command =>
    node
      .command(name)
      .description(description)
      .option("--dir <folder>", "the node's folder, with node.yaml and policy.yaml", ".");

  command("init", "make a node's folder: configuration, policy, keys")
    .requiredOption("--enterprise <id>", "this enterprise's id in the consortium")
    .requiredOption("--consortium <id>", "the consortium's id")
    .requiredOption("--coordinator <host:port>", "the bank's coordinator")
    .requiredOption("--enrolment <host:port>", "the bank's enrolment service")
    .option("--rows <file>", "CSV or Parquet file with training rows; may be repeated", collect, [])
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      `
Example:
  fedcredit node init --dir mill --enterprise mill --consortium riverbank \\
    --coordinator 127.0.0.1:8443 --enrolment 127.0.0.1:8444 --rows loans.csv`,
    )
    .action(init);
  command("enrol", "enrol with the bank's one-time token and pin its keys and the auditor's")
    .requiredOption("--token <token>", "as the bank gave it, over another channel")
    .option("--json", "print one JSON object")
    .addHelpText("after", "\nExample:\n  fedcredit node enrol --dir mill --token TOKEN")
    .action(enrolNode);
  command("studies", "what the bank proposes and runs")
    .option("--json", "print one JSON array")
    .addHelpText("after", "\nExample:\n  fedcredit node studies --dir mill")
    .action(studies);
  command("consent", "agree to a study's manifest, as a whole, for as long as policy.yaml says")
    .argument("<study>", "name, or the beginning of its digest")
    .option("--json", "print one JSON object")
    .addHelpText("after", "\nExample:\n  fedcredit node consent --dir mill sme-default-90")
    .action(consent);
  command("preview", "show what a study would make of the rows and send, without sending anything")
    .argument("<study>", "name, or the beginning of its digest, of a study that `node studies` has shown")
    .option("--manifest <file>", "read the manifest from a JSON or YAML file instead")
    .option("--rows <count>", "rows to show", "3")
    .option("--json", "print one JSON object")
    .addHelpText("after", "\nExample:\n  fedcredit node preview --dir mill sme-default-90 --rows 3")
    .action(preview);
  command("withdraw", "take a consent back; the node stops taking part at once")
    .argument("<study>", "name, or the beginning of its digest")
    .addHelpText("after", "\nExample:\n  fedcredit node withdraw --dir mill sme-default-90")
    .action(withdraw);
  command("start", "take part in every study consented to, until stopped")
    .option("--json", "print one JSON object a line for each event")
    .addHelpText("after", "\nExample:\n  fedcredit node start --dir mill")
    .action(start);
  command("password", "set the password of the enterprise's page")
    .addHelpText("after", "\nExample:\n  fedcredit node password --dir mill")
    .action(password);
  command("model", "download a finished study's model and check its digest")
    .argument("<study>", "name, or the beginning of its digest")
    .requiredOption("--out <file>", "where to write the model's JSON")
    .option("--json", "print one JSON object")
    .addHelpText("after", "\nExample:\n  fedcredit node model --dir mill sme-default-90 --out model.json")
    .action(model);
  command("ledger", "export what left this machine, for fedcredit audit reconcile")
    .requiredOption("--out <file>", "where to write the ledger (.fcexport)")
    .addHelpText("after", "\nExample:\n  fedcredit node ledger --dir mill --out mill.fcexport")
    .action(ledger);

  return node.addHelpText(
    "after",
    `
Example:
  fedcredit node init --dir mill --enterprise mill --consortium riverbank \\
    --coordinator bank.example:8443 --enrolment bank.example:8444 --rows loans.csv
  fedcredit node enrol --dir mill --token TOKEN
  fedcredit node studies --dir mill
  fedcredit node preview --dir mill sme-default-90
  fedcredit node consent --dir mill sme-default-90
  fedcredit node start --dir mill`,
  );
}

async function init(options: {
  readonly dir: string;
  readonly enterprise: string;
  readonly consortium: string;
  readonly coordinator: string;
  readonly enrolment: string;
  readonly rows: readonly string[];
  readonly json?: true;
}): Promise<void> {
  const { dir, enterprise, consortium, coordinator, enrolment, rows, json } = options;
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
}

async function enrolNode({ dir, token, json }: Common & { readonly token: string }): Promise<void> {
  const config = readNodeConfig(configFile(dir));
  const again = isEnrolled(config.dataDir);
  const secrets = readSecrets(config.dataDir);
  const pins = await enrol({
    consortium: config.consortium,
    enterprise: config.enterprise,
    address: config.enrolment,
    token,
    secrets,
    now: Date.now(),
  });
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

function readNode(dir: string): Parameters<typeof openDesk>[0] & { readonly config: NodeConfig } {
  const config = readNodeConfig(configFile(dir));
  const credentials = readCredentials(config.dataDir, Date.now());
  if (credentials.enterprise !== config.enterprise || credentials.consortium !== config.consortium)
    throw new Refusal(
      "config_invalid",
      `${configFile(dir)} says ${config.enterprise} in ${config.consortium}, the certificate ${credentials.enterprise} in ${credentials.consortium}`,
      { hint: "correct node.yaml, or enrol again" },
    );
  const policy = readPolicy(policyFile(dir));
  const key = desensitizationKey(config.dataDir, secureRandom);
  return {
    config,
    credentials,
    coordinator: config.coordinator,
    policy,
    rows: desensitizedRows({ read: ownRecords(config), policy, key, now: Date.now }),
    ledger: ledgerFile(config.dataDir),
    now: Date.now,
  };
}

async function atDesk<T>(dir: string, work: (desk: StudyDesk) => Promise<T>): Promise<T> {
  const desk = openDesk(readNode(dir));
  try {
    await desk.transport.checkHealth();
    return await work(desk);
  } finally {
    desk.transport.close();
    desk.db.close();
  }
}

async function studies({ dir, json }: Common): Promise<void> {
  const views = await atDesk(dir, listStudies);
  if (json) print(JSON.stringify(views));
  else for (const view of views) print(`${shortDigest(view.study)}  ${view.name}  ${standing(view)}`);
}

function standing({ phase, algorithm, round, reason, consentExpires }: StudyView): string {
  const where = phase === "running" ? `running ${algorithm}, round ${round}` : phase;
  const consented =
    consentExpires === undefined ? "no consent" : `consent until ${new Date(consentExpires).toISOString()}`;
  return [where, reason, consented].filter((part) => part !== "").join("  ");
}

async function preview(
  wanted: string,
  { dir, json, manifest: file, rows }: Common & { readonly manifest?: string; readonly rows: string },
): Promise<void> {
  const sampleRows = Number(rows);
  if (!(Number.isInteger(sampleRows) && sampleRows >= 0))
    throw new Refusal("usage", `--rows ${rows}: not a whole number`);
  const config = readNodeConfig(configFile(dir));
  const policy = readPolicy(policyFile(dir));
  const manifest = file === undefined ? seenStudy(config, wanted) : readYaml(file, manifestSchema);
  const sources = await ownRecords(config)();
  const key = desensitizationKey(config.dataDir, secureRandom);
  const nowMillis = Date.now();
  const bfv = await openBfv();
  try {
    const shown = await previewStudy(manifest, sources, {
      policy,
      keys: purposeKeys(key, manifest.purpose, nowMillis),
      enterprise: config.enterprise,
      destination: config.coordinator,
      random: secureRandom,
      bfv,
      sampleRows,
      nowMillis,
    });
    if (json) print(JSON.stringify(shown));
    else for (const line of describePreview(shown)) print(line);
  } finally {
    await bfv.close();
  }
}

/** @returns the manifest as the bank showed it, without asking again. @throws Refusal not_found */
function seenStudy({ dataDir }: NodeConfig, wanted: string): StudyManifest {
  const db = openStore(ledgerFile(dataDir));
  try {
    const seen = seenManifests(db).map(({ study, manifest: text }) => {
      const { manifest } = openManifest(study, Buffer.from(text));
      return { study, name: manifest.name, manifest };
    });
    if (!seen.some(({ study, name }) => name === wanted || study.startsWith(wanted)))
      throw new Refusal("not_found", `the bank has not shown this node a study "${wanted}"`, {
        hint: "run fedcredit node studies, or give --manifest",
      });
    return findStudy(seen, wanted).manifest;
  } finally {
    db.close();
  }
}

async function consent(wanted: string, { dir, json }: Common): Promise<void> {
  await atDesk(dir, async (desk) => {
    const view = findStudy(await listStudies(desk), wanted);
    for (const line of summary(view)) tell(line);
    const { expiresMillis } = await consentTo(desk, view.study);
    if (json) print(JSON.stringify({ study: view.study, name: view.name, expiresMillis }));
    else print(`consented to ${view.name} (${view.study}) until ${new Date(expiresMillis).toISOString()}`);
  });
}

/** What a person signs for, a line each. */
function summary({ study, manifest }: StudyView): string[] {
  const { label, privacy, features, algorithms } = manifest;
  return [
    `study          ${manifest.name}`,
    `manifest       ${study}`,
    `purpose        ${manifest.purpose}`,
    `legal basis    ${manifest.legalBasis}; impact assessment ${manifest.impactAssessment}`,
    `retention      ${manifest.retentionDays} days`,
    `label          ${label.column}: bad ${label.bad.join(", ")}; good ${label.good.join(", ")}`,
    `columns        ${features.map(({ name }) => name).join(", ")}`,
    `algorithms     ${algorithms.map(({ name }) => name).join(", ")}`,
    `least cohort   ${privacy.minCohort} organisations; privacy unit: ${privacy.unit}`,
    `runs without   ${manifest.unprotected.join(", ") || "nothing: all layers are on"}`,
  ];
}

async function withdraw(wanted: string, { dir }: Common): Promise<void> {
  await atDesk(dir, async (desk) => {
    const { study, name } = findStudy(await listStudies(desk), wanted);
    await withdrawFrom(desk, study);
    print(`withdrew from ${name} (${study})`);
  });
}

async function start({ dir, json }: Common): Promise<void> {
  const options = readNode(dir);
  const onEvent = (event: NodeEvent): void => (json ? print(JSON.stringify(event)) : tell(describe(event)));
  const log = (level: string, message: string, fields = {}): void =>
    tell(`${level}: ${message} ${JSON.stringify(fields)}`);
  const bfv = await openBfv();
  try {
    const onSite = await startOnSite({ config: options.config, node: options, onEvent, log });
    try {
      const node = await startNode({ ...options, bfv, random: secureRandom, onEvent });
      onSite.join(node);
      const stop = (): void => void node.stop();
      process.once("SIGINT", stop).once("SIGTERM", stop);
      await node.finished;
    } finally {
      await onSite.stop();
    }
  } finally {
    await bfv.close();
  }
}

async function password({ dir }: Common): Promise<void> {
  const { dataDir } = readNodeConfig(configFile(dir));
  await writePassword(passwordFile(dataDir), await askPassword("password: "));
  tell("the page asks for it from the next start on");
}

function describe(event: NodeEvent): string {
  switch (event.type) {
    case "connected":
      return "connected";
    case "disconnected":
      return `disconnected: ${event.message} (${event.reason}); next try in ${(event.retryMillis / 1000).toFixed(1)} s`;
    case "round":
      return `${event.study.slice(0, 12)}  ${event.algorithm}  round ${event.round}.${event.attempt}  ${event.phase}`;
    case "closed":
      return `attempt ${event.roundId.slice(0, 12)} ${event.outcome} ${event.reason}`.trimEnd();
    case "refused":
      return `refused: ${event.message} (${event.reason})`;
    case "warning": {
      const { type, severity, device, site, explanation, closed } = event.warning;
      return `${severity}${closed === undefined ? "" : " over"}: ${type.replaceAll("_", " ")}, ${device ?? site}: ${explanation}`;
    }
    case "refreshed":
      return `features of ${event.windows} windows, quality of ${event.series} series`;
    case "page":
      return `page at ${event.url}`;
  }
}

async function model(wanted: string, { dir, out, json }: Common & { readonly out: string }): Promise<void> {
  await atDesk(dir, async (desk) => {
    const { study, name } = findStudy(await listStudies(desk), wanted);
    const { digest, text } = await fetchModel(desk, study);
    await writeWhole(out, text);
    if (json) print(JSON.stringify({ study, name, digest, file: resolve(out) }));
    else print(`${digest}  ${out}`);
  });
}

async function ledger({ dir, out }: Common & { readonly out: string }): Promise<void> {
  const desk = openDesk(readNode(dir));
  try {
    await writeWhole(out, desk.ledger.export());
    print(out);
  } finally {
    desk.transport.close();
    desk.db.close();
  }
}
