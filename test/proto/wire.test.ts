import test from "ava";
import { isReason, type Reason, Refusal, reasons } from "../../core/reasons.ts";
import { fromOneof, refusalOf, statusOf, toOneof } from "../../proto/wire.ts";

test("every refusal survives the way through a gRPC status", (t) => {
  for (const reason of Object.keys(reasons).filter(isReason)) {
    const sent = new Refusal(reason, `why — ${reason}`, { party: "mill", hint: `do this – ${reason}` });
    const got = refusalOf(statusOf(sent));
    t.deepEqual([got.reason, got.message, got.hint, got.party], [reason, sent.message, sent.hint, "mill"]);
    t.is(statusOf(sent).code, reasons[reason].code as number);
  }
});

test("a defect travels as internal and keeps its text to itself", (t) => {
  const got = refusalOf(statusOf(new TypeError("secret 42")));
  t.is(got.reason, "internal");
  t.false(got.message.includes("42"));
});

test("a port that does not know a call may be of another version, or the other one", (t) => {
  const got = refusalOf({ code: 12, details: "The server does not implement the method" });
  t.is(got.reason, "protocol_version");
  t.regex(got.hint, /enrolment/);
});

test("a oneof message and its tagged form are inverse, digests in hexadecimal", (t) => {
  const digest = "ab".repeat(32);
  const tagged = {
    type: "survivors",
    roundId: digest,
    survivors: [{ party: "mill", digest }],
  };
  const wire = toOneof<{ message: string; survivors: { roundId: Uint8Array } }>(tagged);
  t.is(wire.message, "survivors");
  t.deepEqual(wire.survivors.roundId, Buffer.from(digest, "hex"));
  t.deepEqual(fromOneof(wire), tagged);
  const bytes = { type: "released", roundId: digest, sum: new Uint8Array([1, 2]), digest };
  t.deepEqual(fromOneof(toOneof<{ message: string }>(bytes)), bytes);
});

test("an empty message and a digest of another length are refused", (t) => {
  const reason: Reason = "message_malformed";
  t.is(t.throws(() => fromOneof({}), { instanceOf: Refusal })?.reason, reason);
  const short = { message: "agree", agree: { roundId: Buffer.alloc(31) } };
  t.is(t.throws(() => fromOneof(short), { instanceOf: Refusal })?.reason, reason);
});

test("a server's certificate that is not in force is a matter of clocks, one of another authority is not", (t) => {
  const failed = (last: string): string =>
    refusalOf({
      code: 14,
      details: `No connection established. Last error: Error: ${last}. Resolution note: `,
    }).reason;
  t.is(failed("certificate is not yet valid"), "clock_skew");
  t.is(failed("certificate has expired"), "clock_skew");
  t.is(failed("self-signed certificate in certificate chain"), "certificate_invalid");
  t.is(failed("connect ECONNREFUSED 127.0.0.1:1"), "unavailable");
});
