-- Devices' metrics, with the device's source.
SELECT DISTINCT s.channel, s.device, s.metric, s.kind, s.step_us, s.rate, s.spike, d.source, d.class, d.role
FROM series_rule s
LEFT JOIN device d ON d.device = s.device
