/** What an enterprise's node can warn about: the one list that node and bank know. */
export const warningTypes = [
  "temperature_breach",
  "vibration_peak",
  "anomaly",
  "own_limit",
  "stoppage",
  "dwell",
  "unexplained_stop",
  "route_deviation",
  "signal_lost",
  "operating_rate_fall",
  "idle_operation",
  "energy_production_mismatch",
  "partial_shutdown",
  "full_shutdown",
  "declared_revenue_gap",
  "order_loss",
  "revenue_fall",
  "sales_mismatch",
  "low_conversion",
] as const;
export type WarningType = (typeof warningTypes)[number];

/** From the least grave on. */
export const severities = ["notice", "warning", "alarm"] as const;
export type Severity = (typeof severities)[number];
