-- The licences that were sent from here, for reports: a handful among all that happened to orders.
CREATE INDEX order_history_sent_here ON order_history (order_id) WHERE source = 'portal' AND kind = 'email';
