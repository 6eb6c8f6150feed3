import { execFile } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as tf from "@tensorflow/tfjs-core";
import { loadLayersModel } from "@tensorflow/tfjs-layers";
import test from "ava";
import { writeInto } from "../../core/files.ts";
import { exportedFiles } from "../../models/exported.ts";
import { runPlain } from "../../models/plain.ts";
import { temporaryDirectory } from "../../simulate/consortium.ts";
import { borrowerFeatures, borrowers, studyOf } from "../support/rows.ts";

const cli = fileURLToPath(new URL("../../cli.ts", import.meta.url));
const network = { name: "neural", hidden: [3], rounds: 1 };
const study = studyOf(borrowerFeatures, [
  { name: "range" },
  { name: "summary" },
  { name: "logistic" },
  network,
]);
const { results } = await runPlain(study, [borrowers()]);
const document = { format: "fedcredit/model/v1", ...study, results };

test("the exported files are a model that TensorFlow.js loads", async (t) => {
  const dir = await temporaryDirectory();
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  const out = join(dir, "deep", "model");
  const files = await writeInto(out, await exportedFiles(document, { format: "layers" }));
  t.deepEqual(
    files,
    ["model.json", "weights.bin", "design.json"].map((name) => join(out, name)),
  );
  const [text, weights, design] = await Promise.all(files.map((file) => readFile(file)));
  const { weightsManifest, ...described } = JSON.parse(text!.toString());
  const weightData = Uint8Array.from(weights!).buffer;
  const model = await loadLayersModel(
    tf.io.fromMemory({ ...described, weightSpecs: weightsManifest[0].weights, weightData }),
  );
  t.is(model.inputs[0]!.shape.at(-1), JSON.parse(design!.toString()).columns.length);
  model.dispose();
});

test("an export that cannot be is refused with what can", async (t) => {
  const refused = (choice: { format: string; result?: string }, of: unknown = document) =>
    t.throwsAsync(exportedFiles(of, choice));
  t.like(await refused({ format: "papyrus" }), { reason: "usage", hint: "formats: onnx, pmml, layers" });
  t.like(await refused({ format: "layers", result: "logistic" }), { reason: "usage" });
  t.like(await refused({ format: "layers", result: "oracle" }), {
    reason: "not_found",
    hint: "its models are logistic, neural",
  });
  const twice = {
    algorithms: [...study.algorithms, { ...network, as: "second" }],
    results: { ...results, second: results.neural },
  };
  t.like(await refused({ format: "layers" }, twice), {
    reason: "usage",
    hint: "choose with --result: neural, second",
  });
  t.like(await refused({ format: "layers" }, { results }), { reason: "state_invalid" });
  const broken = { ...document, results: { ...results, neural: { weights: "" } } };
  t.like(await refused({ format: "layers" }, broken), { reason: "state_invalid" });
});

test("the bank scores its own applicants from a file, with the study's model or one that it names", async (t) => {
  const dir = await temporaryDirectory();
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  const [model, data] = [join(dir, "model.json"), join(dir, "applicants.csv")];
  await writeFile(model, JSON.stringify({ ...document, study: "ab".repeat(32) }));
  await writeFile(data, "application;income;age;share;sector\n7;50000;44;0,2;trade\n8;50000;44;0,2;mining\n");
  const score = async (...args: string[]) => {
    const line = ["--no-warnings", cli, "coordinator", "score", "--data", data, ...args];
    return promisify(execFile)(process.execPath, line).catch(
      (error: { stdout: string; stderr: string }) => error,
    );
  };
  t.regex((await score()).stderr, /--config, or a model's file/);
  t.regex((await score("--model", model)).stderr, /choose with --result: logistic, neural/);
  const { stdout } = await score("--model", model, "--result", "logistic", "--id", "application");
  const [head, first, second] = stdout.split("\n");
  t.is(head, "file,line,id,probability,grade,points,reasons,refused");
  t.regex(first!, /applicants.csv,2,7,0\.\d+,[A-G],,.*,$/);
  t.regex(second!, /applicants.csv,3,8,,,,,"?column ""sector"": not among/);
});
