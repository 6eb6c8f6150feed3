/**
 * The closed list of refusals: everything a peer, a file, a device or an operator can cause.
 * A programming mistake is a RangeError or a TypeError instead and is never listed here.
 */

/** gRPC status codes, by number (grpc/status.h). */
const status = {
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const;

interface ReasonEntry {
  /** gRPC status code the refusal travels as. */
  readonly code: number;
  /** Whether the same call may succeed later without anyone changing anything. */
  readonly retry: boolean;
  /** What the person reading it can do; a call may give a more specific hint. */
  readonly hint: string;
}

const entry = (code: number, retry: boolean, hint: string): ReasonEntry => ({ code, retry, hint });

export const reasons = {
  // configuration and command line
  usage: entry(status.invalidArgument, false, "see fedcredit --help"),
  config_invalid: entry(status.invalidArgument, false, "correct the named field"),
  file_missing: entry(status.notFound, false, "check the path and its permissions"),
  file_malformed: entry(status.invalidArgument, false, "correct the named line"),
  port_taken: entry(status.alreadyExists, false, "stop the other process or choose another port"),
  interrupted: entry(status.aborted, true, "run it again: nothing was kept"),
  disk_full: entry(status.resourceExhausted, true, "free space and start again: nothing is half done"),
  ledger_locked: entry(
    status.unavailable,
    true,
    "another process of this enterprise holds the ledger: stop it, or wait",
  ),
  folder_taken: entry(
    status.unavailable,
    true,
    "stop the process that runs on this folder first; other commands work beside it",
  ),
  already_exists: entry(status.alreadyExists, false, "choose another name, or use what is there"),
  not_found: entry(status.notFound, false, "check the name or the digest"),
  internal: entry(status.internal, false, "a defect: report it with the operational log"),

  // identity and transport
  certificate_invalid: entry(
    status.unauthenticated,
    false,
    "a certificate is expired, revoked, foreign or missing, or a clock is wrong: a node enrols with a new token, an operator runs fedcredit coordinator operator renew beside the authority's key, an auditor fedcredit audit request",
  ),
  role_denied: entry(status.permissionDenied, false, "use the certificate of the role this call is for"),
  token_invalid: entry(
    status.permissionDenied,
    false,
    "ask the bank for a new enrolment token: each works once",
  ),
  protocol_version: entry(status.failedPrecondition, false, "update the older of node and coordinator"),
  clock_skew: entry(status.failedPrecondition, true, "synchronise this machine's clock"),
  unavailable: entry(status.unavailable, true, "the peer cannot be reached: try again"),
  deadline: entry(status.deadlineExceeded, true, "the peer took too long: try again"),
  message_malformed: entry(status.invalidArgument, false, "the peer speaks another protocol or is broken"),
  message_unexpected: entry(status.failedPrecondition, false, "the message does not belong to this step"),
  rate_limited: entry(status.resourceExhausted, true, "slow down"),

  // roster, epoch, study
  roster_unsigned: entry(status.permissionDenied, false, "bank and auditor must both sign the roster"),
  roster_mismatch: entry(status.failedPrecondition, true, "fetch the current roster"),
  signature_invalid: entry(status.permissionDenied, false, "the signature is not by the pinned key"),
  epoch_mismatch: entry(status.failedPrecondition, true, "wait for the current key epoch"),
  key_mismatch: entry(status.permissionDenied, false, "the dealt key does not open its commitment"),
  manifest_changed: entry(status.failedPrecondition, false, "review the new manifest and consent to it"),
  consent_missing: entry(status.permissionDenied, false, "consent to the study's manifest first"),
  consent_expired: entry(status.permissionDenied, false, "consent to the study's manifest again"),
  approval_missing: entry(
    status.failedPrecondition,
    false,
    "let others of the bank approve the model first: on its page, or with fedcredit coordinator registry approve",
  ),
  model_rejected: entry(
    status.failedPrecondition,
    false,
    "find out who spoiled the model, train it anew, or propose it with another `gate`",
  ),
  policy_refuses: entry(status.permissionDenied, false, "policy.yaml of this enterprise forbids it"),
  unprotected: entry(
    status.permissionDenied,
    false,
    "list the missing layer under `unprotected` in the manifest and in every policy",
  ),
  budget_exhausted: entry(status.resourceExhausted, false, "the lifetime privacy budget is spent"),
  algorithm_unknown: entry(
    status.invalidArgument,
    false,
    "choose one of the algorithms in the reference of study.yaml",
  ),
  parameters_invalid: entry(status.invalidArgument, false, "correct the named parameter"),

  // key epochs
  cohort_too_large: entry(
    status.failedPrecondition,
    false,
    "lower maxColluding, or let fewer enterprises take part",
  ),
  threshold_mismatch: entry(
    status.failedPrecondition,
    false,
    "the header's threshold or degree is not the formula's: update the older of node and coordinator",
  ),
  key_low_order: entry(status.invalidArgument, false, "make new keys: this one gives no secret"),
  nonce_mismatch: entry(status.aborted, false, "the opened nonce is not the committed one"),
  complaint_false: entry(
    status.aborted,
    false,
    "what was complained about is right: the complainer is left out",
  ),
  complaint_unanswered: entry(status.aborted, false, "the accused did not open its message: it is left out"),
  slot_spent: entry(status.failedPrecondition, false, "a new key epoch gives new slots"),

  // rounds
  cohort_too_small: entry(status.failedPrecondition, true, "wait until enough enterprises are present"),
  too_few_survivors: entry(status.aborted, true, "a new attempt follows when enough enterprises are present"),
  round_replayed: entry(status.aborted, false, "this attempt was seen before"),
  header_mismatch: entry(status.aborted, false, "the round's header differs from what was announced"),
  state_mismatch: entry(status.dataLoss, false, "the model state does not have the announced digest"),
  state_invalid: entry(
    status.dataLoss,
    false,
    "the state or result does not fit the study's manifest: who made it runs another version, or is broken",
  ),
  layout_overflow: entry(status.invalidArgument, false, "lower the precision, the bounds or the cohort"),
  step_locked: entry(
    status.failedPrecondition,
    true,
    "the step was agreed on in another attempt: enough members must renounce that one",
  ),
  step_spent: entry(status.failedPrecondition, false, "the step was unmasked once: it is summed once"),
  evidence_invalid: entry(status.aborted, false, "what is shown does not allow to sum the vectors again"),
  aggregate_invalid: entry(
    status.dataLoss,
    false,
    "the aggregate is not the sum of what was submitted: tell the auditor",
  ),
  sum_invalid: entry(status.aborted, false, "somebody's vector is outside the bounds: nobody can say whose"),
  round_lost: entry(status.aborted, false, "the step is spent and too few are left to finish it"),
  certificate_forged: entry(status.dataLoss, false, "the sum certificate does not verify: tell the auditor"),
  key_duplicate: entry(status.aborted, false, "two parties advertised the same key"),
  share_invalid: entry(status.aborted, false, "a secret share is not the one its sharer signed, or is none"),
  share_conflict: entry(status.aborted, false, "both kinds of share were asked for one party"),
  survivors_invalid: entry(status.aborted, false, "the survivor list is not a subset of the cohort"),
  digest_mismatch: entry(status.aborted, false, "the bytes do not have the announced digest"),
  agreement_missing: entry(status.aborted, false, "too few survivors signed the survivor list"),
  ciphertext_malformed: entry(
    status.invalidArgument,
    false,
    "the ciphertext's length, header or parameters are wrong",
  ),
  release_invalid: entry(
    status.aborted,
    false,
    "the decrypted sum is out of range or counts the wrong number of parties",
  ),
  release_disputed: entry(status.aborted, true, "no majority of survivors signed one digest of the sum"),
  party_late: entry(status.deadlineExceeded, true, "the party missed the step's deadline"),
  party_refused: entry(status.aborted, true, "the party refused; its reason is in the log"),
  party_gone: entry(status.unavailable, true, "the party's connection ended"),
  coordinator_restarted: entry(status.unavailable, true, "a new attempt follows"),
  upload_offset: entry(status.outOfRange, true, "resume the upload at the committed offset"),
  upload_too_large: entry(status.resourceExhausted, false, "the upload exceeds the round's size"),

  // sums over a table
  // one sum a step
  exact_sums_spent: entry(
    status.failedPrecondition,
    false,
    "exactSums.perTable of policy.yaml allows no more sums without noise over this table",
  ),
  cohort_changed: entry(
    status.failedPrecondition,
    false,
    "wait for the others to be back and let the bank retry the study, or write cohortChange: accept in policy.yaml and mean it",
  ),

  // log
  log_forked: entry(
    status.dataLoss,
    false,
    "the log shown is not consistent with the last checkpoint seen: tell the auditor",
  ),
  log_invalid: entry(status.dataLoss, false, "the export does not verify: the named check failed"),
  entry_invalid: entry(status.invalidArgument, false, "the log entry does not fit its schema"),
  note_malformed: entry(
    status.invalidArgument,
    false,
    "copy it again as a whole: it is no signed note, or no key for one",
  ),
  witness_quorum: entry(
    status.failedPrecondition,
    true,
    "let the auditor look at the log (fedcredit audit watch), then try again",
  ),

  // data
  column_unknown: entry(
    status.invalidArgument,
    false,
    "compare the name with the columns of the data's header line",
  ),
  column_constant: entry(status.invalidArgument, false, "leave the column out: it holds one value"),
  column_collinear: entry(status.invalidArgument, false, "leave one of the named columns out"),
  cell_malformed: entry(status.invalidArgument, false, "correct the cell, or declare the value as missing"),
  value_not_finite: entry(
    status.invalidArgument,
    false,
    "NaN and infinity cannot be summed: clean the column",
  ),
  value_out_of_bounds: entry(status.invalidArgument, false, "the value exceeds the study's public bounds"),
  label_not_binary: entry(status.invalidArgument, false, "name the values that count as bad under label.bad"),
  rows_too_few: entry(
    status.failedPrecondition,
    false,
    "give the node more rows, ask for a larger hold-out, or lower minRows in policy.yaml",
  ),
  level_singular: entry(
    status.failedPrecondition,
    false,
    "ask for a study whose levels join this one with another, or generalize the field in policy.yaml",
  ),
  rows_missing: entry(status.failedPrecondition, false, "the party has no rows for this study"),
  single_class: entry(status.failedPrecondition, false, "all labels are equal: nothing can be learned"),
  anonymity_unreachable: entry(
    status.failedPrecondition,
    false,
    "give the node more rows, or lower k, l or t under `anonymity` in policy.yaml",
  ),
  separation: entry(
    status.failedPrecondition,
    false,
    "a column separates the classes: no finite maximum likelihood; add a penalty",
  ),
  not_converged: entry(status.failedPrecondition, false, "raise the number of steps or add a penalty"),

  // scores
  score_mismatch: entry(
    status.failedPrecondition,
    false,
    "the statement is not of the model, window or scale that the bank goes by: make it again",
  ),

  // store
  database_unavailable: entry(status.unavailable, true, "start PostgreSQL or correct `database`"),
  database_taken: entry(
    status.failedPrecondition,
    false,
    "let one coordinator work on a database: stop the others",
  ),
  database_mismatch: entry(
    status.failedPrecondition,
    false,
    "give the coordinator the database that its data folder belongs to",
  ),
  database_version: entry(status.failedPrecondition, false, "PostgreSQL 15 or newer is needed"),
} as const satisfies Record<string, ReasonEntry>;

export type Reason = keyof typeof reasons;

/** A refusal with a reason from the closed list. Callers switch on `reason`, never on the text. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly reason: Reason;
  readonly hint: string;
  /** Who caused it, where a peer did. */
  readonly party: string | undefined;

  constructor(
    reason: Reason,
    message: string,
    options: { hint?: string; party?: string; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.reason = reason;
    this.hint = options.hint ?? reasons[reason].hint;
    this.party = options.party;
  }
}

/**
 * Says everything that is wrong at once: who has to correct it starts once.
 * @throws Refusal the first one's reason and hint, the messages of all; nothing where there is none.
 */
export function refuseAll(refusals: readonly Refusal[]): void {
  const [first, ...others] = refusals;
  if (first === undefined) return;
  if (others.length === 0) throw first;
  const { reason, hint, party } = first;
  const message = refusals.map((refusal) => refusal.message).join("; ");
  throw new Refusal(reason, message, { hint, cause: first, ...(party === undefined ? {} : { party }) });
}

/** @returns undefined instead of a refusal, where somebody else says what is wrong. */
export function orUndefined<T>(get: () => T): T | undefined {
  try {
    return get();
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

export const isReason = (text: string): text is Reason => Object.hasOwn(reasons, text);
