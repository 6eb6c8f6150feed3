-- The four indicator groups of the loan book: basic information, ability to pay, bad credit history,
-- external credit status.
SELECT
  site, kind_of_window, from_us, until_us,
  max(CASE WHEN metric = 'years_in_business' THEN last END) AS business_age,
  max(CASE WHEN metric = 'loans_open' THEN high END) AS loans_open_max,
  max_by(last, CASE WHEN metric = 'debt_ratio' THEN cell_us END) AS debt_ratio_last,
  max_by(last, CASE WHEN metric = 'current_ratio' THEN cell_us END) AS current_ratio_last,
  sum(CASE WHEN metric = 'sales_amount' THEN total END)
    / nullif(sum(CASE WHEN metric = 'instalment_due' THEN total END), 0) AS instalment_cover,
  sum(CASE WHEN metric = 'instalment_paid' THEN total END)
    / nullif(sum(CASE WHEN metric = 'instalment_due' THEN total END), 0) AS paid_share,
  max(CASE WHEN metric = 'days_overdue' THEN high END) AS days_overdue_max,
  max_by(last, CASE WHEN metric = 'external_debt' THEN cell_us END) AS external_debt_last,
  sum(CASE WHEN metric = 'credit_enquiries' THEN total END) AS credit_enquiries_total
FROM windowed
WHERE kind_of_window = 'month' AND metric IN (
  'years_in_business', 'loans_open', 'debt_ratio', 'current_ratio', 'sales_amount', 'instalment_due',
  'instalment_paid', 'days_overdue', 'external_debt', 'credit_enquiries')
GROUP BY site, kind_of_window, from_us, until_us
