import { z } from "zod";
import { deviceId, metricId, secret } from "../runtime/fields.ts";
import { listening } from "../terminal/listening.ts";

/** Units of what a report holds. */
export const fieldUnits = {
  position: "1",
  speed: "km/h",
  mileage: "km",
  voltage: "V",
  current: "A",
  soc: "%",
  insulation: "kOhm",
  accelerator: "%",
  brake: "%",
  vehicleState: "1",
  chargeState: "1",
  mode: "1",
  motorState: "1",
  controllerTemperature: "Cel",
  motorSpeed: "{rpm}",
  motorTorque: "N.m",
  motorTemperature: "Cel",
  engineState: "1",
  engineSpeed: "{rpm}",
  fuelRate: "L",
  cellVoltageMax: "V",
  cellVoltageMin: "V",
  temperatureMax: "Cel",
  temperatureMin: "Cel",
  alarmLevel: "1",
} as const;

const names = Object.keys(fieldUnits) as [keyof typeof fieldUnits, ...(keyof typeof fieldUnits)[]];

/** Electric vehicles that dial this node, or a platform that speaks for them: GB/T 32960.3-2016. */
export const gb32960Config = z
  .strictObject({
    ...listening,
    authentication: z
      .union(
        [
          z.literal("none"),
          z.literal("iccid"),
          z.strictObject({
            user: z.string().min(1).max(12).describe("of the platform that speaks for the vehicles"),
            password: secret.describe("where its password stands; it goes over the line as it is"),
          }),
        ],
        { error: "write none, iccid, or { user, password: { file } }" },
      )
      .describe(
        "none: whoever names a listed VIN is believed; iccid: a vehicle logs in with the card that is listed for it; user and password: a platform logs in, and speaks for all that are listed",
      ),
    vehicles: z
      .array(
        z.strictObject({
          vin: z
            .string()
            .regex(/^[A-Z0-9]{1,17}$/, "capital letters and digits")
            .describe("as the vehicle sends it"),
          iccid: z
            .string()
            .regex(/^[A-Za-z0-9]{1,20}$/)
            .optional()
            .describe("number of its SIM card; needed with authentication iccid"),
          device: deviceId,
        }),
      )
      .min(1)
      .describe("vehicles not listed are refused"),
    datum: z.enum(["WGS-84", "GCJ-02"]).describe("what the vehicles' positions refer to"),
    source: z
      .enum(["beidou", "gps"])
      .default("gps")
      .describe("what measures them; the protocol does not say"),
    accuracyMetres: z.number().positive().default(15).describe("of one position, metres"),
    readings: z
      .array(z.strictObject({ from: z.enum(names).describe("a field of the standard"), metric: metricId }))
      .min(1)
      .describe("what is taken from a report"),
  })
  .superRefine(({ vehicles, authentication }, context) => {
    const seen = new Set<string>();
    for (const [i, { vin, iccid }] of vehicles.entries()) {
      const problem = (key: string, message: string) =>
        context.addIssue({ code: "custom", path: ["vehicles", i, key], message });
      if (seen.has(vin)) problem("vin", `${vin} is listed twice`);
      if (authentication === "iccid" && iccid === undefined)
        problem("iccid", "is needed: a VIN is no secret");
      seen.add(vin);
    }
  });

export type Gb32960Config = z.output<typeof gb32960Config>;
