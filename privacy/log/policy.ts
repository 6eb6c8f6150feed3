import { equalBytes } from "../../core/bytes.ts";
import { Refusal } from "../../core/reasons.ts";
import { type CosignatureVerifier, type Cosigned, parseCosignatureKey } from "./cosignature.ts";
import { type NoteVerifier, parseVerifierKey } from "./note.ts";

/** Whom an auditor believes: one log, its witnesses, and how many of them it takes. */
export interface LogPolicy {
  readonly log: NoteVerifier;
  readonly witnesses: readonly CosignatureVerifier[];
  readonly quorum: Quorum;
}

type Quorum =
  | { readonly kind: "none" }
  | { readonly kind: "witness"; readonly witness: CosignatureVerifier }
  | { readonly kind: "group"; readonly threshold: number; readonly members: readonly Quorum[] };

/** @param next - for each witness of the policy the one in its place. @returns the policy with other keys. */
export function policyWith(
  { quorum }: LogPolicy,
  log: NoteVerifier,
  next: ReadonlyMap<CosignatureVerifier, CosignatureVerifier>,
): LogPolicy {
  const replaced = (old: Quorum): Quorum => {
    if (old.kind === "witness") return { ...old, witness: next.get(old.witness) ?? old.witness };
    return old.kind === "group" ? { ...old, members: old.members.map(replaced) } : old;
  };
  return { log, witnesses: [...next.values()], quorum: replaced(quorum) };
}

/** @returns whether the cosignatures satisfy the policy's quorum. */
export function quorumReached(policy: LogPolicy, cosigned: readonly Cosigned[]): boolean {
  const reached = (quorum: Quorum): boolean => {
    switch (quorum.kind) {
      case "none":
        return true;
      case "witness":
        return cosigned.some(({ witness }) => witness === quorum.witness);
      case "group":
        return quorum.members.filter(reached).length >= quorum.threshold;
    }
  };
  return reached(policy.quorum);
}

/**
 * Writes a policy: the log's key, the witnesses by their keys' names, and `quorum` of them. Keys of one name are one
 * witness's: a cosignature by any of them counts, and more than one count once.
 * @param quorum - 0 … number of witnesses.
 */
export function formatPolicy(
  log: NoteVerifier,
  witnesses: readonly CosignatureVerifier[],
  quorum: number,
): string {
  const lineName = ({ name, algorithm }: CosignatureVerifier): string =>
    algorithm === "Ed25519" ? name : `${name}/${algorithm}`;
  const byName = Map.groupBy(witnesses, ({ name }) => name);
  if (!Number.isInteger(quorum) || quorum < 0 || quorum > byName.size)
    throw new RangeError("the quorum is at most the number of witnesses");
  const groups = [...byName].filter(([, keys]) => keys.length > 1);
  const members = [...byName].map(([name, keys]) => (keys.length > 1 ? `${name}/any` : lineName(keys[0]!)));
  return [
    `log ${log.key}`,
    ...witnesses.map((witness) => `witness ${lineName(witness)} ${witness.key}`),
    ...groups.map(([name, keys]) => `group ${name}/any any ${keys.map(lineName).join(" ")}`),
    ...(quorum === 0
      ? ["quorum none"]
      : [`group witnesses ${quorum} ${members.join(" ")}`, "quorum witnesses"]),
    "",
  ].join("\n");
}

/**
 * Reads a policy file. Exactly one log: an export is of one.
 * @throws Refusal file_malformed, naming the line.
 * @see C2SP tlog-policy
 */
export function parsePolicy(text: string): LogPolicy {
  let log: NoteVerifier | undefined;
  let quorum: Quorum | undefined;
  const witnesses: CosignatureVerifier[] = [];
  const named = new Map<string, Quorum>();
  const members = new Set<string>();

  const define = (name: string, value: Quorum): void => {
    if (name === "none" || named.has(name)) throw new Error(`the name ${name} is taken`);
    named.set(name, value);
  };
  const lookUp = (name: string): Quorum => {
    const found = named.get(name);
    if (found === undefined) throw new Error(`${name} is not defined on an earlier line`);
    return found;
  };
  const readLine = (words: readonly string[]): void => {
    const [keyword, name = "", ...rest] = words;
    switch (keyword) {
      case "log": {
        if (log !== undefined) throw new Error("a second log");
        log = parseVerifierKey(name);
        return;
      }
      case "witness": {
        const witness = parseCosignatureKey(rest[0] ?? "");
        // The same key under two names would count twice; the same name and id could not be told apart.
        const same = witnesses.some(
          (other) =>
            equalBytes(other.publicKey, witness.publicKey) ||
            (other.name === witness.name && other.keyId === witness.keyId),
        );
        if (same) throw new Error("two witnesses have the same key");
        define(name, { kind: "witness", witness });
        witnesses.push(witness);
        return;
      }
      case "group": {
        const [count = "", ...names] = rest;
        const threshold = count === "all" ? names.length : count === "any" ? 1 : Number(count);
        if (!/^(all|any|[1-9]\d*)$/.test(count) || names.length === 0 || threshold > names.length)
          throw new Error("a group needs all, any or a count, and at least so many members");
        for (const member of names) {
          if (members.has(member)) throw new Error(`${member} is already a member`);
          members.add(member);
        }
        define(name, { kind: "group", threshold, members: names.map(lookUp) });
        return;
      }
      case "quorum": {
        if (quorum !== undefined) throw new Error("a second quorum");
        quorum = name === "none" ? { kind: "none" } : lookUp(name);
        return;
      }
      default:
        throw new Error(`unknown keyword ${keyword}`);
    }
  };

  for (const [i, line] of text.split("\n").entries()) {
    const words = line.split(/[ \t]+/).filter((word) => word !== "");
    if (words.length === 0 || words[0]!.startsWith("#")) continue;
    try {
      readLine(words);
    } catch (cause) {
      throw new Refusal("file_malformed", `policy, line ${i + 1}: ${(cause as Error).message}`, { cause });
    }
  }
  if (log === undefined) throw new Refusal("file_malformed", "policy: no log line");
  if (quorum === undefined) throw new Refusal("file_malformed", "policy: no quorum line");
  return { log, witnesses, quorum };
}
