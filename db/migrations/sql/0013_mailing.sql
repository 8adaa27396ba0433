-- What can be mailed, and what the mail server was found to offer.
SELECT;
