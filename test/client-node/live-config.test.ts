import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { eventually } from "../../bench/cases/within.ts";
import { readNodeConfig } from "../../client-node/config.ts";
import type { NodeEvent } from "../../client-node/events.ts";
import { initCollecting } from "../../client-node/init.ts";
import { followConfig } from "../../client-node/live-config.ts";
import type { PlantConfig, Trouble } from "../../client-node/operations/operations.ts";
import { Refusal } from "../../core/reasons.ts";
import { temporaryDirectory } from "../../simulate/consortium.ts";

const base =
  "enterprise: plant\ndataDir: data\nsites:\n  - { id: hall, industry: machining, utcOffsetHours: 8 }\n";

test("a changed node.yaml is taken when it is whole and works; what waits for a start, and what will not work, is said", async (t) => {
  const dir = await temporaryDirectory();
  t.teardown(() => rm(dir, { recursive: true }));
  const file = join(dir, "node.yaml");
  await writeFile(file, base);
  const taken: PlantConfig[] = [];
  const events: NodeEvent[] = [];
  let trouble: Trouble | undefined;
  let refuse: Refusal | undefined;
  const following = followConfig({
    dir,
    config: readNodeConfig(file),
    operations: {
      async reconfigure(next) {
        if (refuse !== undefined) throw refuse;
        taken.push(next);
      },
      refuseConfiguration(one) {
        trouble = one;
      },
    },
    onEvent: (event) => void events.push(event),
    lookMillis: 5,
  });
  t.teardown(() => following.stop());
  /** As editors do: whole, or not at all. */
  const write = async (text: string): Promise<void> => {
    await writeFile(join(dir, "next"), text);
    await rename(join(dir, "next"), file);
  };
  const device = "devices:\n  - { id: lathe-1, site: hall, class: lathe }\n";

  await write(`${base}# a remark\n`);
  await write(base + device);
  await eventually(() => taken.length > 0);
  t.deepEqual(
    taken.map(({ sites }) => sites.devices.map(({ id }) => id)),
    [["lathe-1"]],
    "a remark changes nothing",
  );
  t.is(trouble, undefined);

  await write(`${base}devices: [{ id: lathe-1, site: nowhere, class: lathe }]\n`);
  await eventually(() => trouble !== undefined);
  t.regex(trouble!.what, /not taken: .*no site nowhere/);
  t.regex(trouble!.hint, /fedcredit node check/);
  t.deepEqual(events.at(-1)?.type, "configuration refused");
  await write("sites: [\n");
  await eventually(() => /not YAML/.test(trouble?.what ?? ""));
  await rm(file);
  await eventually(() => /cannot be read/.test(trouble?.what ?? ""));
  t.is(taken.length, 1);

  // As it was: nothing is to be done, and nothing is wrong any more.
  await write(base + device);
  await eventually(() => trouble === undefined);
  t.is(taken.length, 1);

  await write(`${base + device}page: 127.0.0.1:1\n`);
  await eventually(() => trouble !== undefined);
  t.regex(trouble!.what, /changed in page/);
  t.deepEqual(events.at(-1), { type: "configured", waiting: ["page"] });

  refuse = new Refusal("config_invalid", "two collectors are called x");
  await write(base);
  await eventually(() => /two collectors/.test(trouble?.what ?? ""));
});

test("the file that a new collecting node gets is in order", async (t) => {
  const dir = await temporaryDirectory();
  t.teardown(() => rm(dir, { recursive: true }));
  const config = await initCollecting(dir, "plant");
  t.is(config.collectors, undefined);
  t.is(config.sites.length, 1);
  await t.throwsAsync(initCollecting(dir, "plant"), { message: /exists/ });
});
