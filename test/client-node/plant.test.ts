import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { recorded } from "../../bench/cases/world.ts";
import { parseConfig } from "../../client-node/config.ts";
import { openPlant, type PlantInput, plantSchema } from "../../client-node/plant.ts";
import type { Warning } from "../../client-node/warnings/warning.ts";
import { hour, minute, monday, reading } from "../support/readings.ts";

const written = `
sites:
  - { id: hall-a, industry: machining, utcOffsetHours: 8, norms: { active_energy: 2400 } }
  - { id: hall-b, industry: machining, utcOffsetHours: 8 }
devices:
  - { id: press-1, site: hall-a, class: press, tag: "04:A2" }
  - { id: gate-a, site: hall-a, class: terminal }
  - { id: gate-b, site: hall-b, class: terminal }
maintenance:
  - { device: press-1, from: "2026-03-02T12:00:00+08:00", until: "2026-03-02T18:00:00+08:00", reason: oil }
specialDays:
  - { name: Spring Festival, from: "2026-02-15", until: "2026-02-23" }
`;

test("a plant is read as it is written, times with their offset", (t) => {
  const plant = parseConfig(written, "node.yaml", plantSchema);
  t.is(plant.maintenance[0]!.from, monday + 4 * hour);
  t.deepEqual(plant.sites[1]!.norms, {});
  t.is(plant.spool.maxAgeSeconds, 604_800);
});

const wrong: [string, RegExp, (plant: PlantInput) => unknown][] = [
  ["an unknown key", /colour/, (plant) => ({ ...plant, colour: "red" })],
  [
    "a site nobody knows",
    /no site hall-c/,
    (plant) => ({ ...plant, devices: [{ id: "x", site: "hall-c", class: "press" }] }),
  ],
  ["a device twice", /twice/, (plant) => ({ ...plant, devices: [...plant.devices, plant.devices[0]!] })],
  [
    "a class that is no path",
    /class/,
    (plant) => ({ ...plant, devices: [{ id: "x", site: "hall-a", class: "../x" }] }),
  ],
  [
    "maintenance that ends before it begins",
    /before/,
    (plant) => ({
      ...plant,
      maintenance: [{ ...plant.maintenance![0]!, until: "2026-03-02T11:00:00+08:00" }],
    }),
  ],
  [
    "a time without its offset",
    /maintenance/,
    (plant) => ({ ...plant, maintenance: [{ ...plant.maintenance![0]!, from: "2026-03-02T12:00:00" }] }),
  ],
];
for (const [what, message, change] of wrong) {
  test(`refused: ${what}`, (t) => {
    const plant = {
      sites: [{ id: "hall-a", industry: "machining", utcOffsetHours: 8 }],
      devices: [{ id: "press-1", site: "hall-a", class: "press" }],
      maintenance: [
        {
          device: "press-1",
          from: "2026-03-02T12:00:00+08:00",
          until: "2026-03-02T18:00:00+08:00",
          reason: "oil",
        },
      ],
    };
    t.notThrows(() => parseConfig(JSON.stringify(plant), "node.yaml", plantSchema));
    t.throws(() => parseConfig(JSON.stringify(change(plant)), "node.yaml", plantSchema), {
      name: "Refusal",
      message,
    });
  });
}

test("a device that was moved stays where it is over a restart, half-written lines apart", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "fedcredit-plant-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const config = parseConfig(written, "node.yaml", plantSchema);
  const told: Warning[] = [];
  const open = () =>
    openPlant(config, folder, {
      now: () => 0,
      wait: () => Promise.resolve(),
      onWarning: (warning) => told.push(warning),
      log: () => {},
    });
  const first = open();
  const moved = monday + 10 * hour;
  await first.pipeline.take(
    recorded([
      ...Array.from({ length: 24 }, (_, i) => reading("press-1", "run_state", 0, monday + i * 15 * minute)),
      reading("gate-b", "nfc_tag", "04:A2", moved),
    ]),
  );
  first.close();
  const file = join(folder, "bindings.jsonl");
  t.deepEqual(JSON.parse(readFileSync(file, "utf8")), {
    device: "press-1",
    site: "hall-b",
    from: moved,
    by: "gate-b",
  });
  // Local 08:00 to 12:00, before the planned window: two hours of rest in working hours.
  t.deepEqual(
    told.map((one) => [one.type, one.onset, one.closed]),
    [
      ["stoppage", monday, undefined],
      ["stoppage", monday, monday + 4 * hour],
    ],
  );

  appendFileSync(file, '{"device":"pre');
  const second = open();
  t.is(second.registry.siteOf("press-1", moved), "hall-b");
  t.is(second.registry.siteOf("press-1", moved - 1), "hall-a");
  t.is(second.spool.stats().readings, 25);
  second.close();

  writeFileSync(file, "not a binding\n");
  t.throws(open, { name: "Refusal", message: /bindings\.jsonl:1/ });
});
