import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { configFile, policyFile } from "../client-node/init.ts";
import { FindingsStore, findingsFile } from "../client-node/operations/findings-store.ts";
import { seededRandom } from "../core/random.ts";
import { dayMillis, monthStart, thursdays, utcOffsetHours } from "./calendar.ts";
import { customersCsv } from "./customers.ts";
import { type Borrower, borrowersOf, type Enterprise, monthsBack } from "./economy.ts";
import { bookkeeper, fileCollectors, loanBook, pastTable, weeklyReports } from "./history.ts";
import { plants } from "./plants/all.ts";
import type { Addresses, Plant } from "./plants/plant.ts";
import { policy, privateManifest } from "./study.ts";

/** One enterprise's folder: what its own people would write there. */
export class NodeFolder {
  readonly dir: string;
  readonly inbox: string;
  readonly borrowers: readonly Borrower[];
  readonly plant: Plant;
  readonly #enterprise: Enterprise;
  readonly #now: number;

  /** @param now - when its history ends, milliseconds since the epoch. */
  constructor(dir: string, enterprise: Enterprise, now: number) {
    this.dir = dir;
    this.inbox = join(dir, "inbox");
    this.plant = plants[enterprise.id];
    this.borrowers = borrowersOf(enterprise, seededRandom(`demo ${enterprise.id}`));
    this.#enterprise = enterprise;
    this.#now = now;
  }

  get dataDir(): string {
    return join(this.dir, "data");
  }

  /** The ids of the enterprise's own sites, where its devices stand. */
  get ownSites(): string[] {
    return this.plant.sites(this.#now).sites.map(({ id }) => id);
  }

  /** Policy, loans, customers and exports, and a configuration that reads nothing but these. */
  async writeHistory(): Promise<void> {
    await mkdir(this.inbox);
    await writeFile(policyFile(this.dir), stringify(policy, { aliasDuplicateObjects: false }));
    await writeFile(join(this.dir, "loans.csv"), loanBook(this.#enterprise, this.borrowers, this.#now));
    await writeFile(join(this.dir, "customers.csv"), customersCsv(this.#enterprise));
    await writeFile(join(this.inbox, "weekly.csv"), weeklyReports(this.borrowers, this.#now));
    await writeFile(join(this.inbox, "own-past.csv"), pastTable(this.plant.past(this.#now)));
    await this.#configure({
      collectors: this.#files(),
      refresh: { every: "3s", days: Math.ceil((monthsBack + 1) * 31) },
      ...this.#sites("exports"),
    });
  }

  /** From now on the devices are read too, and the page is shown. @param page - host:port */
  async connect(addresses: Addresses, page: string): Promise<void> {
    const { certificate } = addresses;
    if (typeof certificate === "string") {
      const trusted = join(this.dir, "pki", "trusted", "certs");
      await mkdir(trusted, { recursive: true });
      await writeFile(join(trusted, "devices.pem"), await readFile(certificate));
    }
    await this.#configure({
      collectors: [...this.#files(), ...this.plant.collectors(addresses, this.dir)],
      refresh: { every: "20s", days: this.plant.refreshDays },
      ...this.#sites(),
      page,
    });
  }

  /** Whether the last borrower's last week has become features. */
  hasHistory(): boolean {
    const last = thursdays(monthStart(this.#now) - 7 * dayMillis, monthStart(this.#now)).at(-1)!;
    const findings = new FindingsStore(findingsFile(this.dataDir));
    try {
      const days = findings.features({ site: this.borrowers.at(-1)!.site, window: "day" });
      // A day of which nothing was read yet is a window, too: of a gap.
      return days.some(
        ({ from, until, values }) => from <= last * 1000 && last * 1000 < until && values.has("orders_total"),
      );
    } finally {
      findings.close();
    }
  }

  #files() {
    return fileCollectors(this.inbox, (name) => join(this.dataDir, `${name}.db`));
  }

  /** @param source - of all the enterprise's own devices, where it is one. */
  #sites(source?: string) {
    const own = this.plant.sites(this.#now);
    const sites = this.borrowers.map(({ site }) => site);
    return {
      sites: [...own.sites, ...sites.map((id) => ({ id, industry: "small business", utcOffsetHours }))],
      devices: [
        ...(own.devices ?? []).map((one) => (source === undefined ? one : { ...one, source })),
        ...sites.map((site) => ({ id: bookkeeper(site), site, class: "erp", source: "borrowers" })),
      ],
    };
  }

  async #configure(settings: Record<string, unknown>): Promise<void> {
    const file = configFile(this.dir);
    const rows = {
      features: { loans: ["loans.csv"], site: "site", date: "date", window: "month" },
    };
    const written = parse(await readFile(file, "utf8"));
    const tables = { [privateManifest.table]: { files: ["customers.csv"] } };
    await writeFile(file, stringify({ ...written, rows, tables, storage: { keepDays: 1000 }, ...settings }));
  }
}
