import { privacyEventSchema } from "../noise/event.ts";

const { mechanism, unit, sensitivity, sigma, samplingRate } = privacyEventSchema.shape;

/** Of one sum; without noise nothing bounds it, and nothing more is said. */
export const spendShape = {
  mechanism,
  unit,
  sensitivity: sensitivity.optional(),
  sigma: sigma.optional(),
  samplingRate: samplingRate.optional(),
};
