/** The auditor's directory: keys, certificate, the bank's pinned key, and the largest tree seen. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { z } from "zod";
import { addressArgument } from "../core/address-argument.ts";
import { fromBase64, toBase64 } from "../core/bytes.ts";
import { readRefusal, writeWhole } from "../core/files.ts";
import { secureRandom } from "../core/random.ts";
import { Refusal } from "../core/reasons.ts";
import { tell } from "../core/terminal.ts";
import { endOf, followsAuthority, isRenewalDue } from "../privacy/certificate-life.ts";
import { certificateRequest } from "../privacy/certificate-request.ts";
import { type NoteVerifier, parseNote, parseVerifierKey, verifierKey } from "../privacy/log/note.ts";
import type { SeenTree } from "../privacy/log/witness.ts";
import { isLost, type LogRecovery, logRecoveries } from "../privacy/recovery.ts";
import { openRoster, parseRoster, type RosterText } from "../privacy/roster.ts";
import { keyInForce, keysOf, type Succession, successionsSince } from "../privacy/succession.ts";
import { refusalOf } from "../proto/wire.ts";
import { AuditorClient, type AuditorKeys, type Witnessed } from "./client.ts";
import { type OwnKey, openMlDsaKey, readAuditorKey, readKeyOf } from "./keys.ts";

export const files = {
  tlsKey: "tls.key",
  request: "auditor.csr",
  seen: "seen.json",
  seenNote: "seen.note",
  bank: "bank.pub",
  roster: "roster.note",
} as const;
export const certificateFile = "auditor.pem";

/** Flags of every command that speaks to a coordinator. */
export interface Connection {
  readonly dir: string;
  readonly coordinator: string;
  readonly bankKey?: string;
  readonly json?: true;
}

/** A command that speaks to a coordinator. */
export const remoteCommand = (name: string, description: string): Command =>
  new Command(name)
    .description(description)
    .requiredOption("--dir <dir>", `the auditor's directory, with ${certificateFile} from the bank in it`)
    .requiredOption("--coordinator <host:port>", "the bank's coordinator", addressArgument)
    .option("--bank-key <key>", "the bank's verifier key; needed the first time, pinned from then on")
    .option("--json", "print JSON");

/** Connects; a certificate in the last third of its life is renewed first. @throws Refusal */
export async function connect(flags: Connection): Promise<AuditorClient> {
  const pinned = await pinnedBankKey(flags);
  const keys = await keysInForce(flags.dir, pinned);
  const [privateKeyPem, chain] = await Promise.all([
    readOrRefuse(join(flags.dir, files.tlsKey), "make it with fedcredit audit request"),
    readOrRefuse(
      join(flags.dir, certificateFile),
      "the bank makes it with fedcredit coordinator certify-auditor",
    ),
  ]);
  const [certificatePem, authorityPem] = chain.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? [];
  if (certificatePem === undefined || authorityPem === undefined)
    throw new Refusal("file_malformed", `${certificateFile} holds not both certificate and authority`);
  checkInForce(certificatePem, Date.now());
  const address = flags.coordinator;
  const open = (certificate: string, authority: string): AuditorClient =>
    new AuditorClient({
      address,
      certificatePem: certificate,
      privateKeyPem,
      authorityPem: authority,
      ...keys,
    });
  const client = open(certificatePem, authorityPem);
  if (!isRenewalDue(certificatePem, Date.now())) return client;
  try {
    const reply = await client.renew(await certificateRequest(privateKeyPem, "auditor"));
    const next = reply.certificatePem;
    checkInForce(next, Date.now());
    // The authority's own certificate may be another one, for the key that is known.
    const isNext = followsAuthority(authorityPem, reply.authorityPem);
    const authority = isNext ? reply.authorityPem : authorityPem;
    await writeWhole(join(flags.dir, certificateFile), `${next.trimEnd()}\n${authority.trimEnd()}\n`);
    client.close();
    tell(`the auditor's certificate was renewed, until ${dayOf(next)}`);
    return open(next, authority);
  } catch (error) {
    // The one at hand serves until its end: what is asked of it next says whether it does.
    const { reason, message } = refusalOf(error);
    tell(
      `the auditor's certificate was not renewed, and ends ${dayOf(certificatePem)}: ${message} (${reason})`,
    );
    return client;
  }
}

const dayOf = (certificatePem: string): string => new Date(endOf(certificatePem)).toISOString().slice(0, 10);

/** @throws Refusal certificate_invalid */
function checkInForce(certificatePem: string, nowMillis: number): void {
  if (endOf(certificatePem) > nowMillis) return;
  throw new Refusal("certificate_invalid", `the auditor's certificate expired on ${dayOf(certificatePem)}`, {
    hint: "run fedcredit audit request once more, and let the bank certify what it writes (coordinator certify-auditor)",
  });
}

/**
 * The key given once is the key for ever: others are known by the successions that lead from it.
 * @throws Refusal usage, signature_invalid, note_malformed
 */
export async function pinnedBankKey({
  dir,
  bankKey,
}: Pick<Connection, "dir" | "bankKey">): Promise<NoteVerifier> {
  const path = join(dir, files.bank);
  const pinned = await readFile(path, "utf8").catch(() => undefined);
  const key = bankKey ?? pinned?.trim();
  if (key === undefined)
    throw new Refusal("usage", "the bank's key is not known yet", {
      hint: "add --bank-key, as the bank printed it",
    });
  const { successions = [] } = (await readSigned(dir)) ?? {};
  const isPinned = ({ key: known }: NoteVerifier): boolean => known === key;
  if (pinned !== undefined && !keysOf(successions, "bank", parseVerifierKey(pinned.trim())).some(isPinned))
    throw new Refusal("signature_invalid", "this is not the bank's key that was pinned", {
      hint: "a key that follows it is told in a roster, signed by both: fedcredit audit countersign shows it",
    });
  if (pinned === undefined) await writeWhole(path, `${key}\n`);
  return parseVerifierKey(pinned?.trim() ?? key);
}

/** @returns the keys of bank and auditor by the roster that this auditor signed last. @throws Refusal file_missing, signature_invalid */
async function keysInForce(dir: string, pinned: NoteVerifier): Promise<AuditorKeys> {
  const { successions = [] } = (await readSigned(dir)) ?? {};
  const key = await ownKeyIn(dir, successions);
  const mlDsa = await openMlDsaKey(dir, key.name, secureRandom);
  return { key, bankKey: keyInForce(successions, "bank", pinned), mlDsa };
}

/** @returns this auditor's key in force by some successions. @throws Refusal file_missing, signature_invalid */
export async function ownKeyIn(dir: string, successions: readonly Succession[]): Promise<OwnKey> {
  const { name, publicKey } = await readAuditorKey(dir);
  const first = parseVerifierKey(verifierKey(name, publicKey));
  return readKeyOf(dir, keyInForce(successions, "auditor", first));
}

/**
 * Takes the roster in force for the one that this auditor signed last, where it did: the answer may have been lost.
 * @returns whether there was a newer one than it remembered.
 */
async function rememberSigned(client: AuditorClient, dir: string, pinned: NoteVerifier): Promise<boolean> {
  const before = await readSigned(dir);
  const { name, publicKey } = await readAuditorKey(dir);
  const note = await client.currentRoster();
  const roster = openRoster(note, pinned, parseVerifierKey(verifierKey(name, publicKey)));
  successionsSince(before?.successions ?? [], roster.successions ?? []);
  if (roster.version <= (before?.version ?? 0)) return false;
  await ownKeyIn(dir, roster.successions ?? []);
  await writeSigned(dir, note);
  return true;
}

const readOrRefuse = (path: string, hint: string): Promise<string> =>
  readFile(path, "utf8").catch((cause: unknown) => {
    throw readRefusal(path, cause, hint);
  });

/** What the auditor remembers of the log. */
interface Memory extends SeenTree {
  /** Recoveries of the roster it signed last that it has followed: none excuses a second fork. */
  readonly recovered: number;
}

const memorySchema = z.strictObject({
  size: z.int().min(0),
  root: z.base64().length(44),
  recovered: z.int().min(0).default(0),
});

export async function readSeen(dir: string): Promise<Memory | undefined> {
  const path = join(dir, files.seen);
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const { root, ...rest } = memorySchema.parse(JSON.parse(text));
    return { ...rest, root: fromBase64(root)! };
  } catch (cause) {
    throw new Refusal("file_malformed", `${path} is damaged`, {
      hint: "restore it: without it a log that was rewound cannot be told",
      cause,
    });
  }
}

export interface Look extends Witnessed {
  /** Entries that the log kept, where it lost some since the last look. */
  readonly kept?: number;
}

/** Looks at the log: it has to grow out of what was seen, but for what this auditor signed as lost since. */
export async function lookAt(client: AuditorClient, dir: string): Promise<Look> {
  const pinned = await pinnedBankKey({ dir });
  client.use(await keysInForce(dir, pinned));
  try {
    return await lookWith(client, dir);
  } catch (error) {
    const isOfOtherKey = refusalOf(error).reason === "signature_invalid";
    if (!isOfOtherKey || !(await rememberSigned(client, dir, pinned))) throw error;
    client.use(await keysInForce(dir, pinned));
    return lookWith(client, dir);
  }
}

async function lookWith(client: AuditorClient, dir: string): Promise<Look> {
  const seen = await readSeen(dir);
  const recoveries = (await readSigned(dir))?.recoveries ?? [];
  const fresh = logRecoveries(recoveries.slice(seen?.recovered ?? recoveries.length));
  const now = await client.witness(seen, Date.now(), fresh);
  await writeWhole(join(dir, files.seenNote), now.note);
  const memory = { size: now.size, root: toBase64(now.root), recovered: recoveries.length };
  await writeWhole(join(dir, files.seen), `${JSON.stringify(memory)}\n`);
  return fresh.length === 0 ? now : { ...now, kept: Math.min(...fresh.map(({ kept }) => kept.size)) };
}

/**
 * A roster that says what the log lost has to name all that this auditor saw of it.
 * @throws Refusal log_forked
 */
export async function checkLoss(dir: string, lost: readonly LogRecovery[]): Promise<void> {
  const seen = await readSeen(dir);
  const last = lost.at(-1);
  if (seen === undefined || last === undefined || seen.size <= last.kept.size || isLost(last, seen)) return;
  throw new Refusal(
    "log_forked",
    `this auditor saw ${seen.size} entries of the log, and the roster says that ${last.lost.size} others were lost`,
    { hint: `not signed; hand ${files.seenNote} to the bank: fedcredit coordinator recover --checkpoint` },
  );
}

/**
 * The roster this auditor signed last, by its own memory: a bank could show an older one to hide who joined since.
 * @returns undefined before the first. @throws Refusal file_malformed
 */
export async function readSigned(dir: string): Promise<RosterText | undefined> {
  const path = join(dir, files.roster);
  const note = await readFile(path, "utf8").catch(() => undefined);
  if (note === undefined) return undefined;
  try {
    return parseRoster(parseNote(note).text);
  } catch (cause) {
    throw new Refusal("file_malformed", `${path} is damaged`, {
      hint: "restore it; without it all members of the next roster are shown as new ones",
      cause,
    });
  }
}

export const writeSigned = (dir: string, note: string): Promise<void> =>
  writeWhole(join(dir, files.roster), note);
