import { z } from "zod";
import { defineComputation } from "../define.ts";
import {
  type Design,
  type DesignBasis,
  designFrom,
  designNeeds,
  designParameters,
  designSchema,
} from "../design.ts";

const parameters = z.strictObject(designParameters);

/** The design matrix's columns by themselves, from what `range` and `summary` have summed: no sum of its own. */
export const standardize = defineComputation<{
  params: z.output<typeof parameters>;
  prior: DesignBasis;
  state: never;
  result: Design;
  blocks: Record<string, never>;
}>({
  name: "standardize",
  parameters,
  result: designSchema,
  needs: designNeeds,
  start: ({ schema, prior }) => ({ done: designFrom(schema, prior) }),
});
