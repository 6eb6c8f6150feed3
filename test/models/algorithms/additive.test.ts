import test from "ava";
import { canonicalJson } from "../../../core/canonical.ts";
import type { Json } from "../../../models/algorithm.ts";
import { runPlain } from "../../../models/plain.ts";
import { withNeeds } from "../../../models/plan.ts";
import { takeRows } from "../../../models/rows.ts";
import { parseStudyState, type StudyState, studyLayout } from "../../../models/study-loop.ts";
import type { Table } from "../../../models/table.ts";
import { byBlock, sumOf } from "../../support/algorithms.ts";
import { borrowerFeatures, borrowers, scatter, studyOf } from "../../support/rows.ts";

const study = studyOf(borrowerFeatures, withNeeds({ name: "additive", maxSteps: 8 }) as never);

async function statesOf(table: Table): Promise<StudyState[]> {
  const states: StudyState[] = [];
  await runPlain(study, [table], { onRound: (state) => states.push(state) });
  return states.filter(({ algorithm }) => algorithm === "additive");
}

test("once the smoothing is chosen and steps are short, the gradient alone is summed", async (t) => {
  const lengths = (await statesOf(borrowers())).map((state) =>
    Object.fromEntries(studyLayout(study, state).blocks.map(({ name, length }) => [name, length])),
  );
  const [{ gradient = 0, curvature = 0 } = {}] = lengths;
  t.true(curvature > gradient);
  const whole = lengths.filter((blocks) => blocks.curvature === curvature).length;
  t.true(whole >= 3 && whole < lengths.length, canonicalJson(lengths));
  t.deepEqual(lengths, [
    ...Array.from({ length: whole }, () => ({ gradient, curvature })),
    ...Array.from({ length: lengths.length - whole }, () => ({ gradient })),
  ]);
});

test("the curvature is the same for any partition of the rows, to the last bit", async (t) => {
  for (const state of (await statesOf(borrowers())).slice(0, 3)) {
    const curvatureOf = async (tables: readonly Table[]) =>
      byBlock(study, state, await sumOf(study, state, tables)).find(({ name }) => name === "curvature")!
        .values;
    const parts = scatter(240, 7, "curvature").map((rows) => takeRows(borrowers(), rows));
    t.deepEqual(await curvatureOf(parts), await curvatureOf([borrowers()]));
  }
});

test("a state with a curvature of other bins is refused", async (t) => {
  const state = (await statesOf(borrowers())).at(-1)!;
  const algorithmState = state.algorithmState as { readonly curvature: string } & Record<string, Json>;
  t.not(algorithmState.curvature, "");
  const withCurvature = (curvature: string) => ({
    ...state,
    algorithmState: { ...algorithmState, curvature },
  });
  t.notThrows(() => parseStudyState(study, withCurvature(algorithmState.curvature)));
  for (const curvature of ["AAAA", `AAAA${algorithmState.curvature}`, algorithmState.curvature.slice(4), "?"])
    t.like(
      t.throws(() => parseStudyState(study, withCurvature(curvature))),
      { reason: "state_invalid" },
    );
});
