-- A case may be about a model whose scores or columns have shifted, in place of an enterprise.
ALTER TABLE credit_case ALTER COLUMN enterprise DROP NOT NULL;
ALTER TABLE credit_case ADD COLUMN model text;    -- digest; it may be gone before the case is
ALTER TABLE credit_case DROP CONSTRAINT credit_case_cause_check;
ALTER TABLE credit_case ADD CONSTRAINT credit_case_cause_check CHECK (
  CASE cause WHEN 'shift' THEN model IS NOT NULL AND enterprise IS NULL
    ELSE cause IN ('grade', 'warning') AND enterprise IS NOT NULL AND model IS NULL END);
DROP INDEX credit_case_open;
CREATE UNIQUE INDEX credit_case_open ON credit_case (coalesce(enterprise, model), cause) WHERE decision IS NULL;
