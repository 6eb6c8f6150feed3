import {
  type ClientSession,
  type DataValue,
  HistoryData,
  HistoryReadRequest,
  ReadRawModifiedDetails,
  TimestampsToReturn,
} from "node-opcua";
import { sourceTime } from "./values.ts";

/**
 * Raw history of a node between two moments, both excluded, following continuation points to the end.
 *
 * @param from, to - microseconds since the epoch.
 * @throws {Error} if the server keeps no history of the node, or the connection is lost.
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
    if (result.historyData instanceof HistoryData) values.push(...(result.historyData.dataValues ?? []));
    continuationPoint = result.continuationPoint;
  } while (continuationPoint?.length);
  return values.filter((value) => {
    const time = sourceTime(value);
    return time !== undefined && time > from && time < to;
  });
}
