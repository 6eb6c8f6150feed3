import test from "ava";
import { chart } from "../../../core/pages/charts.ts";

test("every value that stands alone is a dot, in the wide and in the narrow drawing; first and last label are there", (t) => {
  const labels = Array.from({ length: 91 }, (_, day) => `day ${day}`);
  const values = labels.map((_, day) => (day % 7 === 0 ? day : null));
  const { text } = chart({
    title: "output",
    summary: "output by day",
    kind: "line",
    labels,
    series: [{ name: "output", values }],
    format: String,
  });
  const drawings = text.split("<svg").slice(1);
  t.is(drawings.length, 2);
  const alone = values.filter((value) => value !== null).length;
  for (const drawing of drawings) {
    // A dot is a circle of two arcs around its place.
    t.is(drawing.match(/transform="matrix\([^)]*\)"[^>]*fill="(?!none)[^"]*"/g)?.length, alone);
    t.true(drawing.includes(labels[0]!));
    t.true(drawing.includes(labels.at(-1)!));
  }
});
