-- Every device, metric and unit that came in.
SELECT DISTINCT series, device, metric, unit FROM readings
