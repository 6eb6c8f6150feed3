import type { StudiesHandlers } from "../../proto/generated/fedcredit/v1/Studies.ts";
import type { Bank } from "../bank.ts";
import { resultInUse } from "../cases/scores.ts";
import type { Participants } from "../rounds/participants.ts";
import { check } from "../studies/check.ts";
import { consent, withdraw } from "../studies/consent.ts";
import { inspect } from "../studies/inspection.ts";
import { pause, retry, start, stop } from "../studies/life.ts";
import { propose } from "../studies/proposal.ts";
import { prune } from "../studies/retention.ts";
import { certificates, follow, list, model, status } from "../studies/status.ts";
import { digestText, enterprise, everyone, operator } from "./request.ts";
import type { Methods } from "./transport.ts";

export const studiesService = (
  bank: Bank,
  methods: Methods,
  participants: Participants,
): StudiesHandlers => ({
  Propose: methods.unary(operator, ({ canonicalJson }) => propose(bank, canonicalJson)),
  Start: methods.unary(operator, ({ study }) => start(bank, digestText(study))),
  Prune: methods.unary(operator, () => prune(bank)),
  Check: methods.unary(operator, async ({ canonicalJson }) => check(bank, canonicalJson)),
  Pause: methods.unary(operator, ({ study }) => pause(bank, digestText(study))),
  Retry: methods.unary(operator, ({ study }) => retry(bank, digestText(study))),
  Inspect: methods.unary(operator, ({ study }) => inspect(bank, participants, digestText(study))),
  Stop: methods.unary(operator, ({ study }) => stop(bank, digestText(study))),
  List: methods.unary(everyone, async () => ({ studies: await list(bank) })),
  Get: methods.unary(everyone, ({ study }) => status(bank, digestText(study))),
  Follow: methods.download(everyone, ({ study }, signal) => follow(bank, digestText(study), signal)),
  Consent: methods.unary(enterprise, ({ study, expiresMillis, note }, { id }) =>
    consent(bank, id, { study: digestText(study), expiresMillis, note }),
  ),
  Withdraw: methods.unary(enterprise, ({ study }, { id }) => withdraw(bank, id, digestText(study))),
  GetCertificates: methods.download(everyone, async function* ({ study, after }) {
    for await (const shown of certificates(bank, digestText(study), after)) {
      const { round, document, entry, confirmations, roster } = shown;
      yield {
        round,
        canonicalJson: Buffer.from(document),
        entry,
        confirmations: confirmations.map(({ party, signature }) => ({
          party,
          signature: Buffer.from(signature),
        })),
        roster,
      };
    }
  }),
  GetModel: methods.unary(everyone, async ({ study }) => {
    const { document, digest } = await model(bank, digestText(study));
    return {
      canonicalJson: Buffer.from(document),
      digest: Buffer.from(digest, "hex"),
      inUse: await resultInUse(bank, digest),
      grades: bank.casePolicy.grades,
    };
  }),
});
