-- Every certificate that the running coordinator signed, of operators and the auditor too.
ALTER TABLE client_certificate DROP CONSTRAINT client_certificate_enterprise_fkey;
ALTER TABLE client_certificate RENAME COLUMN enterprise TO holder;
ALTER TABLE client_certificate ADD COLUMN role text NOT NULL DEFAULT 'enterprise'
  CHECK (role IN ('enterprise', 'operator', 'auditor'));
ALTER TABLE client_certificate ADD COLUMN expires_at timestamptz;   -- null: signed by an earlier version
