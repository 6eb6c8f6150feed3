import { dayMillis, dayStart, hourMillis, secondMillis, utcOffsetHours } from "../calendar.ts";
import { eachSecond, moments, type Plant, unrest } from "./plant.ts";

const trucks = ["truck-1", "truck-2", "truck-3"] as const;
type Truck = (typeof trucks)[number];
const warmTruck: Truck = "truck-2";
/** After the fleet began to run. */
const warmAfter = 8 * secondMillis;
const kmh = 60;
const phoneOf = (truck: Truck): string => `1380000000${truck.at(-1)}`;

const temperatureOf = (truck: Truck, time: number, warmFrom: number): number =>
  (truck === warmTruck && time >= warmFrom ? 8 : 2) + unrest(time + 999 * Number(truck.at(-1)), 0.3);

/** The cold-chain fleet: loggers of the goods over MQTT, terminals of the trucks over JT/T 808. One load gets warm. */
export const coldFleet: Plant = {
  happening: { type: "temperature_breach", what: "a load at 2 °C goes to 8 °C" },
  refreshDays: 3,
  sites: () => ({
    sites: [{ id: "fleet", industry: "cold-chain", utcOffsetHours, norms: { cargo_temperature_limit: 6 } }],
    devices: trucks.map((id) => ({ id, site: "fleet", class: "truck", source: "loggers" })),
  }),
  past: (now) =>
    moments(dayStart(now) - 64 * dayMillis, now - hourMillis, hourMillis).flatMap((time) =>
      trucks.map(
        (device) =>
          ({
            device,
            metric: "cargo_temperature",
            time,
            value: temperatureOf(device, time, Number.POSITIVE_INFINITY),
          }) as const,
      ),
    ),
  collectors: ({ mqtt, terminals }) => [
    {
      mqtt: {
        name: "loggers",
        url: `mqtt://127.0.0.1:${mqtt}`,
        protocol: "3.1.1",
        clientId: "cold-fleet-node",
        identity: "anonymous",
        topics: [
          {
            topic: "fleet/{device}/cargo",
            format: "json",
            time: { path: "at", as: "ms" },
            sequence: "n",
            fields: [
              { path: "celsius", metric: "cargo_temperature", unit: "Cel" },
              { path: "cooling", metric: "reefer_on", unit: "1" },
              { path: "door", metric: "door_open", unit: "1" },
            ],
          },
        ],
      },
    },
    {
      terminal: {
        name: "terminals",
        protocol: "jt808",
        listen: `127.0.0.1:${terminals}`,
        datum: "WGS-84",
        authentication: "none",
        terminals: trucks.map((device) => ({ phone: phoneOf(device), device })),
      },
    },
  ],
  async start({ listen, now }) {
    const { connectAsync } = await import("mqtt");
    const { startBroker } = await import("../../collectors/simulators/mqtt-broker.ts");
    const { startTerminal } = await import("../../collectors/simulators/terminal-client.ts");
    const { statusBit } = await import("../../collectors/jt808/location.ts");
    const broker = await startBroker();
    const loggers = await connectAsync(`mqtt://127.0.0.1:${broker.port}`, { reconnectPeriod: 20 });
    const terminals = trucks.map((truck) => ({
      truck,
      terminal: startTerminal({ port: listen, phone: phoneOf(truck), window: 20, redialMillis: 500 }),
    }));
    /** On the way east, at an even pace. */
    const place = (truck: Truck, time: number) => {
      const km = ((time - now) / hourMillis + 2) * kmh;
      const odometer = Buffer.alloc(4);
      odometer.writeUInt32BE(Math.round(10 * (50_000 + km)));
      return {
        alarm: 0,
        status: statusBit.ignition | statusBit.fixed | statusBit.beidou,
        lat: 31 + 0.1 * Number(truck.at(-1)),
        lon: 120 + km / 95,
        altitudeMetres: 10,
        speedKmh: kmh,
        directionDegrees: 90,
        time: time * 1000,
        items: new Map([[1, odometer]]),
      };
    };
    // The hours before, driven through a dead zone: the terminals kept them.
    const kept = moments(now - 2 * hourMillis, now, 30 * secondMillis);
    for (const { truck, terminal } of terminals)
      for (let i = 0; i < kept.length; i += 20)
        terminal.reportBatch(
          kept.slice(i, i + 20).map((time) => place(truck, time)),
          1,
        );
    const stop = eachSecond((n) => {
      // A report's time has whole seconds, and each second has one.
      const time = (Math.floor(now / 1000) + n) * 1000;
      for (const { truck, terminal } of terminals) {
        terminal.report(place(truck, time));
        const celsius = temperatureOf(truck, time, now + warmAfter);
        loggers.publish(
          `fleet/${truck}/cargo`,
          JSON.stringify({
            at: Date.now(),
            n,
            celsius: Number(celsius.toFixed(3)),
            cooling: true,
            door: false,
          }),
          { qos: 1 },
        );
      }
    });
    return {
      addresses: { mqtt: broker.port, terminals: listen },
      async close() {
        stop();
        for (const { terminal } of terminals) terminal.close();
        await loggers.endAsync(true);
        await broker.close();
      },
    };
  },
};
