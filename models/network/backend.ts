import { createRequire } from "node:module";
import * as tf from "@tensorflow/tfjs-core";

export type BackendName = "tfjs-node" | "wasm" | "cpu";

/** Where tensors live: found once per process. */
let chosen: Promise<BackendName> | undefined;

/**
 * Makes the fastest backend that loads the current one: native, else WebAssembly, else plain JavaScript.
 * It runs `tf.LayersModel`s; training steps run on kernels of our own (see kernels.ts) on every machine.
 */
export function chooseBackend(): Promise<BackendName> {
  chosen ??= choose();
  return chosen;
}

async function choose(): Promise<BackendName> {
  // The native backend and the WebAssembly one load a program that a machine may lack or forbid.
  if (await loads("tensorflow", loadNative)) return "tfjs-node";
  if (await loads("wasm", () => import("@tensorflow/tfjs-backend-wasm"))) return "wasm";
  await import("@tensorflow/tfjs-backend-cpu");
  await tf.setBackend("cpu");
  return "cpu";
}

async function loads(name: string, load: () => Promise<unknown>): Promise<boolean> {
  try {
    await load();
    return tf.findBackendFactory(name) !== null && (await tf.setBackend(name));
  } catch {
    return false;
  }
}

function loadNative(): Promise<unknown> {
  // Node 23 removed what tfjs-node 4.22 calls.
  const util = createRequire(import.meta.url)("node:util") as { isNullOrUndefined?: (x: unknown) => boolean };
  util.isNullOrUndefined ??= (x) => x === null || x === undefined;
  // Not a literal: the package is optional and may be absent when types are checked.
  const optional: string = "@tensorflow/tfjs-node";
  return import(optional);
}
