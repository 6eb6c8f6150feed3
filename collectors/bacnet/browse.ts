import type { Timer } from "../collector.ts";
import type { Found } from "../runtime/found.ts";
import { anyInstance, BacnetLine } from "./line.ts";
import { type ObjectId, objectTypes, property } from "./protocol.ts";

const anyDevice: ObjectId = { type: 8, instance: anyInstance };
const mostObjects = 10_000;
/** Questions in a row without an answer after which there is no use in asking on. */
const mostSilent = 3;

/** Engineering units as UCUM, those that are met most. @see ASHRAE 135-2020, BACnetEngineeringUnits */
const units: ReadonlyMap<number, string> = new Map([
  [3, "A"],
  [5, "V"],
  [19, "kW.h"],
  [27, "Hz"],
  [29, "%"],
  [47, "W"],
  [48, "kW"],
  [53, "Pa"],
  [54, "kPa"],
  [55, "bar"],
  [62, "Cel"],
  [95, "1"],
  [98, "%"],
]);
const names: ReadonlyMap<number, string> = new Map(
  Object.entries(objectTypes).map(([name, type]) => [type, name]),
);

/**
 * Asks a controller for its objects: those that can be read, with name, unit and value.
 *
 * @throws {Error} where it does not answer, or does not list its objects.
 */
export async function browseBacnet(
  {
    host,
    port,
    timeoutMillis,
  }: { readonly host: string; readonly port: number; readonly timeoutMillis: number },
  { signal, timer }: { readonly signal: AbortSignal; readonly timer: Timer },
): Promise<Found[]> {
  const line = await BacnetLine.open(host, port, { timeoutMillis, timer, signal, onNoise() {} });
  let silent = 0;
  const ask = async (object: ObjectId, id: number, index?: number): Promise<unknown> => {
    signal.throwIfAborted();
    const answer = await line.ask(object, id, index);
    if (answer !== undefined) {
      silent = 0;
      return "failed" in answer ? undefined : answer.value;
    }
    if (++silent >= mostSilent) throw new Error(`${host}:${port} does not answer`);
    return undefined;
  };
  try {
    const count = await ask(anyDevice, property.objectList, 0);
    if (typeof count !== "number") throw new Error(`${host}:${port} does not list its objects`);
    const found: Found[] = [];
    for (let index = 1; index <= Math.min(count, mostObjects); index++) {
      const object = (await ask(anyDevice, property.objectList, index)) as ObjectId | undefined;
      if (typeof object !== "object" || object === null) continue;
      const name = names.get(object.type);
      if (name === undefined) continue;
      const value = await ask(object, property.presentValue);
      const unit = await ask(object, property.units);
      found.push({
        object: `${name},${object.instance}`,
        name: String((await ask(object, property.objectName)) ?? ""),
        unit: typeof unit === "number" ? (units.get(unit) ?? `BACnet unit ${unit}`) : "",
        value: typeof value === "number" || typeof value === "boolean" ? value : null,
      });
    }
    return found;
  } finally {
    line.close();
  }
}
