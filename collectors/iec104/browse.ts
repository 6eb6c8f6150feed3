import { connect } from "node:net";
import type { Found } from "../runtime/found.ts";
import {
  type Apdu,
  control,
  decodeAsdu,
  encodeApdu,
  interrogation,
  modulus,
  takeApdu,
  typeId,
} from "./protocol.ts";

/** Every station behind the connection. @see IEC 60870-5-101, 7.2.4 */
export const everyStation = 0xffff;
const mostPoints = 20_000;
/**
 * Causes of what a station says because it was asked: confirmation, end of activation, interrogated, initialized.
 * Anything else it may keep for its master until it is acknowledged, and that is not ours to do.
 */
const isOnlyTold: ReadonlySet<number> = new Set([7, 10, 20, 70]);

/**
 * Interrogates a station and lists the points that it tells of within some seconds, each with its last value.
 *
 * @throws {Error} where there is no station, or what answers is none.
 */
export async function browseIec104(
  { host, port, station }: { readonly host: string; readonly port: number; readonly station: number },
  seconds: number,
  signal: AbortSignal,
): Promise<Found[]> {
  const points = new Map<string, Found>();
  const socket = connect({ host, port, noDelay: true });
  const end = (): void => void socket.destroy();
  const timeout = setTimeout(end, seconds * 1000);
  signal.addEventListener("abort", end, { once: true });
  const send = (apdu: Apdu): void => void socket.write(encodeApdu(apdu));
  let isStation = false;
  let received = 0;
  let mayTake = true;
  const take = (apdu: Apdu): void => {
    if (apdu.kind === "U") {
      if (apdu.control === control.testAct) send({ kind: "U", control: control.testCon });
      if (apdu.control !== control.startCon || isStation) return;
      isStation = true;
      send({ kind: "I", sent: 0, received: 0, asdu: interrogation(typeId.interrogation, station) });
    } else if (apdu.kind === "I") {
      if (mayTake && isOnlyTold.has(apdu.asdu[2]! & 0x3f)) {
        received = (apdu.sent + 1) % modulus;
        send({ kind: "S", received });
      } else mayTake = false;
      for (const { station: at, address, value, quality, status } of decodeAsdu(apdu.asdu))
        if (points.size < mostPoints)
          points.set(`${at}/${address}`, { station: at, address, value, quality, status });
    }
  };
  socket.once("connect", () => send({ kind: "U", control: control.startAct }));
  try {
    let pending: Buffer = Buffer.alloc(0);
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      pending = Buffer.concat([pending, chunk]);
      for (let found = takeApdu(pending); found !== undefined; found = takeApdu(pending)) {
        pending = found.rest;
        take(found.apdu);
      }
    }
  } catch (error) {
    // A socket that was ended by us is read to its end with an error.
    if (!isStation || (error as NodeJS.ErrnoException).code !== "ERR_STREAM_PREMATURE_CLOSE") throw error;
  } finally {
    clearTimeout(timeout);
    signal.removeEventListener("abort", end);
    socket.destroy();
  }
  if (!isStation) throw new Error(`${host}:${port} does not answer as a station`);
  return [...points.values()];
}
