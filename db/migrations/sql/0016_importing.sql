-- What shops export: returns, coupons, items without IDs.
SELECT;
