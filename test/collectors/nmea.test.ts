import test, { type ExecutionContext } from "ava";
import fc from "fast-check";
import { closestTo, decodeSentence } from "../../collectors/nmea.ts";
import { encodeSentence } from "../../collectors/simulators/nmea-sender.ts";
import { Refusal } from "../../core/reasons.ts";

const malformed = { instanceOf: Refusal, name: "Refusal" };
const near = (t: ExecutionContext, actual: number | undefined, expected: number) =>
  t.true(Math.abs(actual! - expected) < 1e-9, `${actual} is not ${expected}`);

// The two sentences every NMEA text shows; their checksums are part of them.
const rmc = "$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A";
const gga = "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47";

test("RMC: position, speed, course, date with a two-digit year", (t) => {
  const read = decodeSentence(rmc)!;
  t.like(read, { type: "RMC", talker: "GP", valid: true, courseDegrees: 84.4 });
  t.is(read.date! + read.timeOfDay!, Date.parse("1994-03-23T12:35:19Z") * 1000);
  near(t, read.lat, 48 + 7.038 / 60);
  near(t, read.lon, 11 + 31 / 60);
  near(t, read.speedKmh, 22.4 * 1.852);
});

test("GGA: quality, satellites, HDOP and altitude, but no date", (t) => {
  const read = decodeSentence(gga)!;
  t.like(read, { type: "GGA", valid: true, fix: "1", satellites: 8, hdop: 0.9, altitudeMetres: 545.4 });
  t.is(read.date, undefined);
});

test("two-digit years: this century up to 79", (t) => {
  const yearOf = (yy: string) =>
    new Date(
      decodeSentence(encodeSentence(`BDRMC,000000.00,V,,,,,,,0101${yy},,`))!.date! / 1000,
    ).getUTCFullYear();
  t.deepEqual(["00", "26", "79", "80", "99"].map(yearOf), [2000, 2026, 2079, 1980, 1999]);
});

test("talkers of Beidou and of several systems are read, others passed over", (t) => {
  for (const talker of ["BD", "GB", "GN", "GP"] as const)
    t.is(decodeSentence(encodeSentence(`${talker}RMC,000000,V,,,,,,,010126,,`))?.talker, talker);
  for (const other of ["$GLRMC,000000,V,,,,,,,010126,,*00", "$GPGSV,1,1,00*79", "hello", ""])
    t.is(decodeSentence(other), undefined);
});

test("no fix: fields are empty and the position is none", (t) => {
  const read = decodeSentence(encodeSentence("GNGGA,,,,,,0,00,99.99,,,,,,"))!;
  t.like(read, {
    valid: false,
    lat: undefined,
    lon: undefined,
    timeOfDay: undefined,
    altitudeMetres: undefined,
  });
  t.false(decodeSentence(encodeSentence("GNRMC,101112,V,,,,,,,010126,,"))!.valid);
});

test("a changed character is never believed", (t) => {
  for (const sentence of [rmc, gga])
    for (let at = 7; at < sentence.length; at++) {
      const changed = `${sentence.slice(0, at)}${sentence[at] === "5" ? "6" : "5"}${sentence.slice(at + 1)}`;
      t.throws(() => decodeSentence(changed), malformed, changed);
    }
  t.throws(() => decodeSentence("$GPRMC,123519,A"), { message: "sentence without a checksum" });
});

test("a sentence with a right checksum and impossible fields is refused", (t) => {
  for (const content of [
    "GPRMC,250000,A,4807.038,N,01131.000,E,0,0,230394,,",
    "GPRMC,123519,A,9107.038,N,01131.000,E,0,0,230394,,",
    "GPRMC,123519,A,4807.038,X,01131.000,E,0,0,230394,,",
    "GPRMC,123519,A,4807.038,N,18131.000,E,0,0,230394,,",
    "GPRMC,123519,A,4807.038,N,01131.000,E,fast,0,230394,,",
    "GPRMC,123519,A,4807.038,N,01131.000,E,0,0,310294,,",
    "GPRMC,123519,A",
    "GNGGA,123519,4807.038,N",
  ])
    t.throws(() => decodeSentence(encodeSentence(content)), malformed, content);
});

test("any position survives to the receiver's precision", (t) => {
  const minutes = fc.nat(59_999_999).map((n) => n / 1e6);
  fc.assert(
    fc.property(
      fc.nat(89),
      minutes,
      fc.nat(179),
      minutes,
      fc.boolean(),
      fc.boolean(),
      (lat, latMin, lon, lonMin, south, west) => {
        const pad = (value: number, digits: number) => `${value}`.padStart(digits, "0");
        const min = (m: number) => m.toFixed(6).padStart(9, "0");
        const read = decodeSentence(
          encodeSentence(
            `GBRMC,000000,A,${pad(lat, 2)}${min(latMin)},${south ? "S" : "N"},${pad(lon, 3)}${min(lonMin)},${west ? "W" : "E"},0,0,010126,,`,
          ),
        )!;
        near(t, read.lat, (south ? -1 : 1) * (lat + latMin / 60));
        near(t, read.lon, (west ? -1 : 1) * (lon + lonMin / 60));
      },
    ),
  );
});

test("a time of day is placed on the nearest day, also across midnight", (t) => {
  const at = (iso: string) => Date.parse(iso) * 1000;
  const justBefore = (24 * 3600 - 1) * 1e6;
  t.is(closestTo(at("2026-03-02T00:00:05Z"), justBefore), at("2026-03-01T23:59:59Z"));
  t.is(closestTo(at("2026-03-01T23:59:58Z"), 1e6), at("2026-03-02T00:00:01Z"));
});
