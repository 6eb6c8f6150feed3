/** An enterprise's simulated devices as a process: `node run.ts ENTERPRISE OPTIONS`, until SIGTERM. */
import type { Enterprise } from "../economy.ts";
import { plants } from "./all.ts";
import type { PlantOptions } from "./plant.ts";

const [, , enterprise, options] = process.argv;
const plant = await plants[enterprise as Enterprise["id"]].start(JSON.parse(options!) as PlantOptions);
process.stdout.write(`${JSON.stringify(plant.addresses)}\n`);
const end = (): void => void plant.close().then(() => process.exit(0));
process.once("SIGTERM", end).once("SIGINT", end);
