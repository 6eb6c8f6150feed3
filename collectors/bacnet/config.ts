import { z } from "zod";
import { deviceId, duration, metricId, port, ucum } from "../runtime/fields.ts";
import { type ObjectType, objectTypes } from "./protocol.ts";

const names = Object.keys(objectTypes) as ObjectType[];

/** `analog-input,3` */
function objectOf(text: string): { type: number; instance: number } | undefined {
  const [name = "", instance = ""] = text.split(",").map((part) => part.trim());
  if (!Object.hasOwn(objectTypes, name) || !/^\d{1,7}$/.test(instance) || Number(instance) > 4_194_302)
    return undefined;
  return { type: objectTypes[name as ObjectType], instance: Number(instance) };
}

const object = z
  .strictObject({
    object: z
      .string()
      .refine((text) => objectOf(text) !== undefined, `write analog-input,1; types are ${names.join(", ")}`)
      .describe("type and instance, as analog-input,1; its present value is read"),
    scale: z.number().default(1).describe("value = present value · scale"),
    metric: metricId,
    unit: ucum,
    every: duration.default(10_000).describe("polling interval"),
  })
  .transform(({ object, ...rest }) => ({ ...rest, object: objectOf(object)! }));

/** Controllers of buildings and plants that speak BACnet/IP. */
export const bacnetConfig = z.strictObject({
  name: z.string().optional().describe("shown on the page; bacnet and the first address when absent"),
  timeout: duration.default(2_000).describe("longest wait for an answer"),
  devices: z
    .array(
      z.strictObject({
        host: z.string().min(1).describe("name or address of the controller"),
        port: port.default(47_808).describe("UDP port"),
        device: deviceId,
        objects: z.array(object).min(1).describe("what is read"),
      }),
    )
    .min(1)
    .describe("controllers, each asked by its own address"),
});

export type BacnetConfig = z.output<typeof bacnetConfig>;
export type BacnetObject = BacnetConfig["devices"][number]["objects"][number];
