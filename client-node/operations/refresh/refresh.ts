import { rmSync } from "node:fs";
import { join } from "node:path";
import { Engine, type EngineOptions } from "../engine.ts";
import { computeFeatures, type FeatureRow } from "../features/features.ts";
import { type DaysRead, openDays } from "../quality/days.ts";
import { type QualityReport, runQuality } from "../quality/quality.ts";
import type { Period, Reference } from "../quality/reference.ts";

export interface Refresh {
  readonly quality: QualityReport;
  readonly features: readonly FeatureRow[];
}

/** What a refresh is told; everything of it can be sent to another process. */
export interface RefreshJob {
  /** Root of the segments; exists. */
  readonly segments: string;
  /** Folder of days that were computed before. */
  readonly days: string;
  readonly reference: Reference;
  readonly period: Period;
  readonly engine: EngineOptions;
}

/** Quality and features of a period, from the segments. */
export async function computeRefresh(job: RefreshJob): Promise<Refresh & { readonly days: DaysRead }> {
  const spillFolder = join(job.days, ".spill");
  rmSync(spillFolder, { recursive: true, force: true });
  const engine = await Engine.open({ spillFolder, ...job.engine });
  try {
    const days = await openDays(engine, job.segments, job.days, job.reference, job.period);
    const quality = await runQuality(engine, job.period);
    const features = await computeFeatures(engine, job.reference.catalogue);
    return { quality, features, days };
  } finally {
    engine.close();
    rmSync(spillFolder, { recursive: true, force: true });
  }
}
