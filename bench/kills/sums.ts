/** Who was in each sum of a bank's log, and why the others were not. */
import { readFile } from "node:fs/promises";
import type { Digest } from "../../core/canonical.ts";
import { parseEntry } from "../../privacy/log/entry.ts";
import { readExport } from "../../privacy/log/export.ts";
import { certificateSchema } from "../../privacy/sum/certificate.ts";
import { type RoundHeader, roundIdOf } from "../../privacy/sum/header.ts";

export const whys = [
  "is no member any more",
  "had not consented",
  "was away when keys were dealt",
  "was away when it began",
  "dropped out of it",
] as const;
type Why = (typeof whys)[number];

export interface ReleasedSum {
  readonly study: Digest;
  readonly round: number;
  readonly survivors: ReadonlySet<string>;
  /** Of everybody else who was ever a member. */
  readonly missing: ReadonlyMap<string, Why>;
}

/** @returns the sums of an export, by study and round. */
export async function sumsOf(file: string): Promise<Map<Digest, ReleasedSum[]>> {
  const { records } = await readExport([await readFile(file)]);
  const known = new Set<string>();
  let members: ReadonlySet<string> = new Set();
  const epochs = new Map<Digest, ReadonlySet<string>>();
  /** By study and enterprise, until when. */
  const consents = new Map<string, number>();
  let header: RoundHeader | undefined;
  const absent = new Map<Digest, ReadonlyMap<string, Why>>();
  const sums = new Map<Digest, ReleasedSum[]>();

  const whyAbsent = (id: string, { study, epoch, cohort }: RoundHeader, time: number): Why | undefined => {
    if (cohort.includes(id)) return undefined;
    if (!members.has(id)) return "is no member any more";
    if ((consents.get(`${study} ${id}`) ?? 0) <= time) return "had not consented";
    return epochs.get(epoch)?.has(id) ? "was away when it began" : "was away when keys were dealt";
  };

  for await (const record of records) {
    if (record.type === "attachment") {
      const { attachment } = record;
      if (attachment.kind === "header") header = attachment.value as RoundHeader;
      if (attachment.kind !== "certificate") continue;
      const { header: of, survivors: stayed } = certificateSchema.parse(attachment.value);
      const survivors = new Set(stayed.map(({ party }) => party));
      const missing = new Map(absent.get(roundIdOf(of)));
      for (const id of of.cohort) if (!survivors.has(id)) missing.set(id, "dropped out of it");
      const rounds = sums.get(of.study) ?? [];
      sums.set(of.study, rounds);
      rounds[of.round - 1] = { study: of.study, round: of.round, survivors, missing };
    } else if (record.type === "entry") {
      const entry = parseEntry(record.bytes);
      if (entry.type === "roster.changed") {
        members = new Set(entry.members);
        for (const id of members) known.add(id);
      } else if (entry.type === "key.epoch") epochs.set(entry.digest, new Set(entry.members));
      else if (entry.type === "study.consented")
        consents.set(`${entry.study} ${entry.enterprise}`, entry.expires);
      else if (entry.type === "study.withdrawn") consents.delete(`${entry.study} ${entry.enterprise}`);
      else if (entry.type === "round.opened") {
        const found = [...known].map((id) => [id, whyAbsent(id, header!, entry.time)] as const);
        absent.set(
          entry.roundId,
          new Map(found.filter((one): one is readonly [string, Why] => one[1] !== undefined)),
        );
      }
    }
  }
  return sums;
}
