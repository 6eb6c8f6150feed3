import test from "ava";
import { LiveBoard, mostMetrics, mostStrangers } from "../../../client-node/operations/live-board.ts";
import type { Reading } from "../../../collectors/reading.ts";

const reading = (device: string, metric = "power"): Reading =>
  ({
    device,
    metric,
    value: 1,
    unit: "kW",
    quality: "good",
    status: "",
    time: 1,
    received: 1,
    source: "mqtt",
  }) as unknown as Reading;

test("names that anybody may make up have so many places; registered devices always have theirs", (t) => {
  const board = new LiveBoard(
    () => 0,
    (device) => device === "press",
  );
  board.observe(Array.from({ length: mostStrangers + 50 }, (_, i) => reading(`made-up-${i}`)));
  t.is(board.size, mostStrangers);
  t.is(board.overlooked, 50);
  board.observe([reading("press"), reading("made-up-0")]);
  t.is(board.device("press")?.readings, 1);
  t.is(board.device("made-up-0")?.readings, 2, "who has a place keeps it");
  board.observe(Array.from({ length: mostMetrics + 7 }, (_, i) => reading("press", `metric-${i}`)));
  t.is(board.device("press")?.series.length, mostMetrics);
  t.is(board.overlooked, 58);
});
