-- The sums of refunds.
SELECT;
