import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import type { Table } from "../modbus/registers.ts";

/**
 * What a simulated unit answers: bytes (two for each register, one for each eight bits), an exception code,
 * or `silent`, as a unit does that has no power.
 */
export type UnitAnswer = Uint8Array | { readonly exception: number } | "silent";

/** Answers a read of `count` registers (or bits) of `table` from `address` on, counted from 0. */
export type SimulatedUnit = (
  table: Table,
  address: number,
  count: number,
) => UnitAnswer | Promise<UnitAnswer>;

export interface ModbusServer {
  readonly port: number;
  /** Requests seen. */
  readonly requests: number;
  close(): Promise<void>;
}

export interface ModbusServerOptions {
  readonly framing?: "tcp" | "rtu";
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** Fault: whether the answer about to be sent is sent twice. */
  readonly repeat?: () => boolean;
}

const tables: Record<number, Table> = { 1: "coil", 2: "discrete", 3: "holding", 4: "input" };

interface Request {
  readonly transaction: number;
  readonly unit: number;
  readonly functionCode: number;
  readonly address: number;
  readonly count: number;
}

/**
 * A Modbus server, or a gateway with several units, on the loopback interface. Reads only.
 *
 * ```
 * TCP frame: transaction u16 | protocol u16 = 0 | length u16 | unit u8 | function u8 | address u16 | count u16
 * RTU frame: unit u8 | function u8 | address u16 | count u16 | CRC-16 little-endian
 * ```
 * @param units - by unit id; an unknown unit gets exception 11, as from a gateway.
 */
export async function startModbusServer(
  units: ReadonlyMap<number, SimulatedUnit>,
  options: ModbusServerOptions = {},
): Promise<ModbusServer> {
  const rtu = options.framing === "rtu";
  const sockets = new Set<Socket>();
  let requests = 0;

  async function answer(socket: Socket, request: Request): Promise<void> {
    requests++;
    const table = tables[request.functionCode];
    const unit = units.get(request.unit);
    const reply =
      table === undefined
        ? { exception: 1 }
        : unit === undefined
          ? { exception: 11 }
          : await unit(table, request.address, request.count);
    if (reply === "silent" || socket.destroyed) return;
    const body =
      reply instanceof Uint8Array
        ? Buffer.from([request.unit, request.functionCode, reply.length, ...reply])
        : Buffer.from([request.unit, request.functionCode | 0x80, reply.exception]);
    const frame = rtu ? withCrc(body) : withMbap(body, request.transaction);
    socket.write(options.repeat?.() ? Buffer.concat([frame, frame]) : frame);
  }

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay();
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    let pending = Buffer.alloc(0);
    const frameBytes = rtu ? 8 : 12;
    const start = rtu ? 0 : 6;
    socket.on("data", (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      for (; pending.length >= frameBytes; pending = pending.subarray(frameBytes)) {
        void answer(socket, {
          transaction: rtu ? 0 : pending.readUInt16BE(0),
          unit: pending.readUInt8(start),
          functionCode: pending.readUInt8(start + 1),
          address: pending.readUInt16BE(start + 2),
          count: pending.readUInt16BE(start + 4),
        });
      }
    });
  });
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    get requests() {
      return requests;
    },
    async close() {
      for (const socket of sockets) socket.resetAndDestroy();
      server.close();
      await once(server, "close");
    },
  };
}

function withMbap(body: Buffer, transaction: number): Buffer {
  const frame = Buffer.alloc(6 + body.length);
  frame.writeUInt16BE(transaction, 0);
  frame.writeUInt16BE(body.length, 4);
  body.copy(frame, 6);
  return frame;
}

function withCrc(body: Buffer): Buffer {
  const frame = Buffer.alloc(body.length + 2);
  body.copy(frame);
  frame.writeUInt16LE(crc16(body), body.length);
  return frame;
}

/** CRC-16/MODBUS: reflected polynomial 0xA001, start 0xFFFF. @see Modbus over Serial Line 1.02, 6.2.2 */
export function crc16(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  }
  return crc;
}
