-- Keys that shall follow others: each stands in the rosters that are proposed, until the auditor has signed one.
CREATE TABLE awaited_succession (
  holder        text PRIMARY KEY,               -- bank, auditor or an enterprise
  line          text NOT NULL                   -- as a roster has it
);

-- The authority's certificates after the first, the newest last: the file in the keys' folder follows them.
CREATE TABLE authority_certificate (
  number        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  pem           text NOT NULL
);
