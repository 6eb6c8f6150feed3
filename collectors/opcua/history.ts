import {
  type ClientSession,
  type DataValue,
  HistoryData,
  HistoryReadRequest,
  ReadRawModifiedDetails,
  TimestampsToReturn,
} from "node-opcua";
import { sourceTime } from "./values.ts";

/** What is read at once is held in memory: more than two days of a value a second. */
export const mostValues = 200_000;

/**
 * Raw history of a node between two moments, both excluded, following continuation points to the end, or to `mostValues`.
 *
 * @param from, to - microseconds since the epoch.
 * @throws {Error} if the server keeps no history of the node, goes on without a value, or the connection is lost.
 * @see OPC 10000-11, 6.4.3
 */
export async function readHistory(
  session: ClientSession,
  nodeId: string,
  from: number,
  to: number,
): Promise<DataValue[]> {
  const historyReadDetails = new ReadRawModifiedDetails({
    startTime: new Date(Math.floor(from / 1000)),
    // The end is open at the server and truncated to milliseconds here: one more, then cut below.
    endTime: new Date(Math.floor(to / 1000) + 1),
    isReadModified: false,
    numValuesPerNode: 1_000,
    returnBounds: false,
  });
  const values: DataValue[] = [];
  let continuationPoint: Buffer | null | undefined;
  do {
    const response = await session.historyRead(
      new HistoryReadRequest({
        historyReadDetails,
        nodesToRead: [{ nodeId, ...(continuationPoint ? { continuationPoint } : {}) }],
        releaseContinuationPoints: false,
        timestampsToReturn: TimestampsToReturn.Both,
      }),
    );
    const result = response.results?.[0];
    if (result === undefined || result.statusCode.isBad())
      throw new Error(`no history of ${nodeId}: ${result?.statusCode.name}`);
    const page = result.historyData instanceof HistoryData ? (result.historyData.dataValues ?? []) : [];
    for (const value of page) values.push(value);
    continuationPoint = result.continuationPoint;
    if (continuationPoint?.length && page.length === 0)
      throw new Error(`no history of ${nodeId}: it does not end`);
  } while (continuationPoint?.length && values.length < mostValues);
  return values.filter((value) => {
    const time = sourceTime(value);
    return time !== undefined && time > from && time < to;
  });
}
