import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { loadLayersModel } from "@tensorflow/tfjs-layers";
import test from "ava";
import { exportModel } from "../../../coordinator/studies/model-export.ts";
import { runPlain } from "../../../models/plain.ts";
import { temporaryDirectory } from "../../../simulate/consortium.ts";
import { borrowerFeatures, borrowers, studyOf } from "../../support/rows.ts";

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
  const files = await exportModel(document, { format: "layers", out });
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
  const refused = (choice: object, of: unknown = document) => t.throwsAsync(exportModel(of, choice));
  const out = "/nowhere";
  t.like(await refused({ format: "layers" }), { reason: "usage" });
  t.like(await refused({ format: "papyrus", out }), { reason: "usage", hint: "formats: layers" });
  t.like(await refused({ format: "layers", out, result: "logistic" }), { reason: "usage" });
  t.like(await refused({ format: "layers", out, result: "oracle" }), {
    reason: "not_found",
    hint: "its models are logistic, neural",
  });
  const twice = {
    algorithms: [...study.algorithms, { ...network, as: "second" }],
    results: { ...results, second: results.neural },
  };
  t.like(await refused({ format: "layers", out }, twice), {
    reason: "usage",
    hint: "choose with --result: neural, second",
  });
  t.like(await refused({ format: "layers", out }, { results }), { reason: "state_invalid" });
  const broken = { ...document, results: { ...results, neural: { weights: "" } } };
  t.like(await refused({ format: "layers", out }, broken), { reason: "state_invalid" });
});
