import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { hasBank, readMemberConfig } from "../../../client-node/config.ts";
import { configFile, initCollecting, initNode } from "../../../client-node/init.ts";
import type { Operations } from "../../../client-node/operations/operations.ts";
import { nextSteps } from "../../../client-node/page/first-view.ts";
import type { StudyKnowledge } from "../../../client-node/page/studies.ts";
import { secureRandom } from "../../../core/random.ts";
import { Refusal } from "../../../core/reasons.ts";
import { policyFor, temporaryDirectory } from "../../../simulate/consortium.ts";
import { localeIn } from "../../support/page.ts";
import { borrowerFeatures, studyOf } from "../../support/rows.ts";

const manifest = { ...studyOf(borrowerFeatures, [{ name: "summary" }]), name: "sme" };
const allowing = policyFor(manifest);

const operations = (readings: number, registered: boolean, before: readonly string[] = []): Operations =>
  ({
    collectors: () => [
      { name: "press", health: { state: "waiting", lastError: "connection refused", readings } },
    ],
    board: { names: () => (readings > 0 ? ["press-1"] : []) },
    findings: { delivered: () => new Set(before) },
    registry: { device: () => (registered ? {} : undefined) },
  }) as unknown as Operations;

const known = (over: Partial<StudyKnowledge> = {}): StudyKnowledge => ({
  studies: [{ study: "ab", name: "sme", manifest, phase: "proposed", algorithm: "", round: 0 }],
  consents: new Map(),
  ...over,
});

test("the first view names what comes next, with the command, and is silent once all is there", (t) => {
  const missing = (standing: Partial<Parameters<typeof nextSteps>[0]>) =>
    nextSteps(
      {
        dir: "mill",
        operations: operations(5, true),
        member: { policy: () => allowing },
        studies: known({ consents: new Map([["ab", {} as never]]) }),
        ...standing,
      },
      localeIn("en"),
    ).map(({ missing, commands }) => `${missing} | ${commands.at(-1) ?? ""}`);
  t.deepEqual(missing({}), []);
  t.deepEqual(missing({ operations: undefined }), ["No collector | fedcredit node check --dir mill"]);
  t.deepEqual(missing({ operations: operations(0, true) }), [
    'No reading yet from press | fedcredit node try --dir mill "press"',
  ]);
  t.deepEqual(missing({ operations: operations(0, true, ["press"]) }), [], "it has delivered before");
  t.deepEqual(missing({ operations: operations(5, false) }), ["Heard and not registered: press-1 | "]);
  t.deepEqual(missing({ member: undefined }), ["No bank | fedcredit node start --dir mill"]);
  const nothing = { ...allowing, allow: { algorithms: [], purposes: [] } };
  t.deepEqual(missing({ member: { policy: () => nothing } }), [
    "The policy allows nothing yet | fedcredit node studies --dir mill",
  ]);
  const broken = (): never => {
    throw new Refusal("file_malformed", "policy.yaml:3: not YAML");
  };
  t.deepEqual(missing({ member: { policy: broken } }), ["No policy that can be read | "]);
  t.deepEqual(missing({ studies: known({ unreachable: new Refusal("unavailable", "no route") }) }), [
    "The bank is not reached | ",
  ]);
  t.deepEqual(missing({ studies: known() }), ["No consent to sme | fedcredit node consent --dir mill sme"]);
});

test("a node that only collected becomes a member and keeps what its node.yaml says; what is half a bank is refused", async (t) => {
  const dir = await temporaryDirectory();
  t.teardown(() => rm(dir, { recursive: true }));
  await initCollecting(dir, "plant");
  t.throws(() => readMemberConfig(configFile(dir)), { message: /names no bank/ });
  const text = await readFile(configFile(dir), "utf8");
  await writeFile(configFile(dir), `${text}# mine\ndevices: [{ id: d, site: hall-1, class: c }]\n`);
  const bank = {
    enterprise: "mill",
    consortium: "riverbank",
    coordinator: "127.0.0.1:1",
    enrolment: "127.0.0.1:2",
    rows: undefined,
  };
  const config = await initNode(dir, bank, secureRandom);
  t.true(hasBank(config));
  t.like(config, { enterprise: "mill", coordinator: "127.0.0.1:1", page: "127.0.0.1:8090" });
  t.deepEqual(
    config.devices.map(({ id }) => id),
    ["d"],
  );
  const after = await readFile(configFile(dir), "utf8");
  t.regex(after, /# mine/);
  t.is((await readFile(join(dir, "policy.yaml"), "utf8")).includes("algorithms: []"), true);
  await t.throwsAsync(initNode(dir, bank, secureRandom), { message: /exists/ });
  await writeFile(configFile(dir), after.replace(/^enrolment:.*\n/m, ""));
  t.throws(() => readMemberConfig(configFile(dir)), { message: /enrolment: .*go together/ });
});
