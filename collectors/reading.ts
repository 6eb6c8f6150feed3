/** The one record every collector makes. */
export interface Reading {
  /** Device id as configured, unique within the enterprise. */
  readonly device: string;
  /** Metric id from the catalogue. */
  readonly metric: string;
  /** null where the device reported the metric as absent (a gap, never a zero). */
  readonly value: number | string | boolean | null;
  /** UCUM code of `value`; "1" for dimensionless. */
  readonly unit: string;
  /** Source time, microseconds since the Unix epoch, UTC. */
  readonly time: number;
  /** When the collector took it, microseconds since the Unix epoch, UTC. */
  readonly received: number;
  readonly quality: "good" | "uncertain" | "bad";
  /** The source's own status code, as text ("Good", "0x80000000", "exception 4", …). */
  readonly status: string;
  /** Source's sequence number, where the protocol has one. */
  readonly sequence?: number;
  /**
   * What tells this event from every other of its device and metric at its time: a document or sequence number, the
   * place in a file, the delivery. Amounts are events; of two levels at one instant the second says nothing new.
   */
  readonly event?: string;
  /** The transport says that this is no repetition: it is an event of its own, whatever equals it. */
  readonly firstDelivery?: true;
  /** The source says again what it said last, as a Sparkplug birth does: of amounts nothing happened. */
  readonly retold?: true;
  readonly position?: Position;
  /** True where the reading was back-filled and not live. */
  readonly historical: boolean;
}

export interface Position {
  /** Degrees. */
  readonly lat: number;
  readonly lon: number;
  readonly datum: "WGS-84" | "GCJ-02";
  readonly source: "beidou" | "gps" | "uwb";
  readonly accuracyMetres: number;
}
