import { canonicalJson, type Digest } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import type { StudyManifest } from "../../models/study.ts";
import { checkStudy, type Policy, policyDigest } from "../policy.ts";

/** What of a policy the rows of a submission went by: {@link checkStudy} holds the rest against the study each time. */
export const rowTerms = ({ fields, anonymity, minRows }: Policy): string =>
  canonicalJson({ fields, minRows, ...(anonymity === undefined ? {} : { anonymity }) });

/**
 * The policy that each study's attempt under way computed its rows by. policy.yaml is read again before everything
 * that the node says in an attempt: what forbids it stops it there, not with the next round.
 */
export class PoliciesInForce {
  readonly #read: (manifest: StudyManifest) => Policy;
  readonly #attempts = new Map<Digest, { readonly roundId: Digest; readonly policy: Policy }>();

  /** @param read - the policy as it stands on disk, for a study's table. */
  constructor(read: (manifest: StudyManifest) => Policy) {
    this.#read = read;
  }

  /** @returns the policy that the attempt's rows go by. @throws Refusal as {@link checkStudy}, and what is wrong with the file */
  begin(study: Digest, roundId: Digest, manifest: StudyManifest): Policy {
    const policy = this.#read(manifest);
    checkStudy(policy, manifest);
    this.#attempts.set(study, { roundId, policy });
    return policy;
  }

  /**
   * @returns digest of the policy as it stands now; nothing where the attempt has no rows of this node.
   * @throws Refusal as {@link begin}; policy_refuses, where the rows would be others now.
   */
  require(study: Digest, roundId: Digest, manifest: StudyManifest | undefined): Digest | undefined {
    const begun = this.#attempts.get(study);
    if (begun?.roundId !== roundId || manifest === undefined) return undefined;
    const policy = this.#read(manifest);
    checkStudy(policy, manifest);
    if (policy !== begun.policy && rowTerms(policy) !== rowTerms(begun.policy))
      throw new Refusal(
        "policy_refuses",
        `study ${manifest.name}: policy.yaml changed what becomes of the rows while the attempt ran`,
        { hint: "nothing to do: the next attempt reads the rows by the policy as it stands" },
      );
    return policyDigest(policy);
  }
}
