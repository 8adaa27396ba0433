-- Sign-in under attack.
SELECT;
