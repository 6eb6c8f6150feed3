import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileConfig } from "../../../collectors/file/config.ts";
import { fileCollector } from "../../../collectors/file.ts";
import type { Adapter } from "./adapter.ts";

const devices = ["shop-1", "shop-2"] as const;

/** A folder into which each device's next values are exported, one file at a time. */
export const file: Adapter = {
  name: "file",
  source: "keeps",
  async open() {
    const root = await mkdtemp(join(tmpdir(), "exports-"));
    const folder = join(root, "inbox");
    await mkdir(folder);
    const next = new Map<string, number>(devices.map((device) => [device, 0]));
    let exports = 0;
    return {
      devices,
      collector: (context, limits) =>
        fileCollector(
          fileConfig.parse({
            folder,
            files: "*.csv",
            state: join(root, "seen.db"),
            format: "csv",
            device: { column: "shop" },
            time: { column: "at", as: "us" },
            columns: [{ column: "n", metric: "n", unit: "1" }],
            every: "5ms",
            settle: "10ms",
            batch: 10,
          }),
          context,
          limits,
        ),
      async produce(device, count) {
        const name = `${`${exports++}`.padStart(6, "0")}.csv`;
        const first = next.get(device)!;
        next.set(device, first + count);
        const rows = Array.from(
          { length: count },
          (_, i) => `${device},${Date.now() * 1000 + i},${first + i}`,
        );
        await writeFile(join(folder, `${name}.part`), `shop,at,n\n${rows.join("\n")}\n`);
        await rename(join(folder, `${name}.part`), join(folder, name));
      },
      kill() {},
      revive() {},
      close: () => rm(root, { recursive: true }),
    };
  },
};
