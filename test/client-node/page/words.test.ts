import test from "ava";
import { outgoing } from "../../../client-node/ledger/outgoing.ts";
import { asideReasons } from "../../../client-node/operations/door.ts";
import { readCatalogue } from "../../../client-node/operations/features/catalogue.ts";
import {
  featuresZh,
  metricsZh,
  troubleInChinese,
  warnedInChinese,
} from "../../../client-node/page/plant-words.ts";
import { zh } from "../../../client-node/page/words.ts";
import { warningTypes } from "../../../core/warning-types.ts";

test("everything that ships with the node and every message that leaves it has a Chinese name", (t) => {
  const { features, metrics } = readCatalogue();
  t.deepEqual(
    Object.keys(featuresZh).toSorted(),
    [...features.keys()].toSorted(),
    "features of the catalogue, no more and no less",
  );
  for (const name of metrics.keys()) t.true(Object.hasOwn(metricsZh, name), name);
  for (const kind of Object.keys(outgoing)) t.true(Object.hasOwn(zh.kinds, kind), kind);
  for (const reason of Object.keys(asideReasons)) {
    const trouble = {
      what: "",
      hint: "",
      readings: 1,
      about: { kind: "aside", reason, names: "erp" },
    } as const;
    for (const text of troubleInChinese(trouble)) t.notRegex(text, /fedcredit|[a-z]+_[a-z]+/, reason);
  }
});

test("a warning is said in Chinese while it lasts and when it ended, with its own numbers", (t) => {
  const number = (value: number): string => value.toFixed(1);
  const percent = (share: number): string => `${Math.round(share * 100)}%`;
  const say = (closed?: number): string =>
    warnedInChinese(
      {
        ...{ type: "own_limit", subject: "spindle_load", numbers: { value: 91.25, limit: 80 } },
        ...(closed === undefined ? {} : { closed }),
      },
      number,
      percent,
    );
  t.is(say(), "主轴负载：91.3，限值 80.0");
  t.is(say(1), "主轴负载：回到 91.3");
  for (const type of warningTypes)
    t.regex(warnedInChinese({ type, numbers: {} }, number, percent), /\p{Script=Han}/u, type);
});
