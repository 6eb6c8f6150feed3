import { z } from "zod";
import { activations } from "./activation.ts";
import type { HiddenLayer } from "./mlp.ts";

const activation = z.enum(activations);

/** A setting that has no effect here, unless it is what is done anyway. */
const initializer = z
  .looseObject({ class_name: z.string() })
  .refine(
    ({ class_name, config }) =>
      class_name === "GlorotUniform" ||
      (class_name === "VarianceScaling" && /^fan_?avg$/i.test(String((config as { mode?: unknown })?.mode))),
    "weights start as GlorotUniform has them",
  )
  .nullish();
const unused = z.null("not done here: leave it out").optional();

const dense = z.looseObject({
  units: z.int().min(1).max(4096),
  activation: activation.default("linear"),
  use_bias: z.literal(true, "units have a bias").optional(),
  kernel_initializer: initializer,
  kernel_regularizer: unused,
  bias_regularizer: unused,
  activity_regularizer: unused,
  kernel_constraint: unused,
  bias_constraint: unused,
});

const layer = z.discriminatedUnion("class_name", [
  z.looseObject({ class_name: z.literal("InputLayer") }),
  z.looseObject({ class_name: z.literal("Dense"), config: dense }),
  z.looseObject({ class_name: z.literal("Activation"), config: z.looseObject({ activation }) }),
  z.looseObject({
    class_name: z.literal("Dropout"),
    config: z.looseObject({ rate: z.number().min(0).max(0.95) }),
  }),
]);

const sequential = z.looseObject({
  class_name: z.literal("Sequential"),
  config: z.looseObject({ layers: z.array(layer).min(1).max(40) }),
});

/**
 * A network as `tf.sequential(…).toJSON()` of TensorFlow.js, or Keras' `Sequential`, writes it: dense layers, activations
 * and dropout, ending in one sigmoid unit. The number of its inputs follows from the study's columns.
 */
export const architectureSchema = z.looseObject({}).superRefine((value, context) => {
  const parsed = sequential.safeParse(value);
  const read = parsed.success ? below(parsed.data) : parsed.error.issues;
  if (typeof read === "string") context.addIssue({ code: "custom", message: read });
  else if (!parsed.success)
    for (const { path, message } of parsed.error.issues) context.addIssue({ code: "custom", path, message });
});

/** @param architecture - as the schema has it. @returns the layers below the last. */
export function hiddenLayersOf(architecture: z.output<typeof architectureSchema>): HiddenLayer[] {
  const read = below(sequential.parse(architecture));
  if (typeof read === "string") throw new RangeError(read);
  return read;
}

/** @returns the layers below the last; what is wrong with them where it is none of ours. */
function below({ config }: z.output<typeof sequential>): HiddenLayer[] | string {
  const found: HiddenLayer[] = [];
  for (const one of config.layers)
    switch (one.class_name) {
      case "InputLayer":
        break;
      case "Dense":
        found.push({ units: one.config.units, activation: one.config.activation, dropout: 0 });
        break;
      case "Activation": {
        const last = found.pop();
        if (last?.activation !== "linear" || last.dropout > 0)
          return "an Activation follows a linear Dense layer";
        found.push({ ...last, activation: one.config.activation });
        break;
      }
      case "Dropout": {
        const last = found.pop();
        if (last === undefined || last.dropout > 0) return "a Dropout follows a Dense layer";
        found.push({ ...last, dropout: one.config.rate });
        break;
      }
    }
  const top = found.pop();
  if (top?.units !== 1 || top.activation !== "sigmoid" || top.dropout > 0)
    return "the last layer is Dense with one sigmoid unit: the probability of bad";
  if (found.length === 0) return "there is no hidden layer: logistic does that";
  if (found.length > 8) return "there are more than 8 hidden layers";
  return found;
}
