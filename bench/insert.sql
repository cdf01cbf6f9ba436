-- insert.sql - for pgbench: the rows that one webhook makes, one webhook a transaction.
\set a random(0, 9223372036854775806)
\set b random(0, 9223372036854775806)
WITH stored AS (
	INSERT INTO payhook.transactions (transaction_id, source, source_account, destination_account, amount, currency)
	VALUES ('txn_' || lpad(to_hex(:a::bigint), 16, '0') || lpad(to_hex(:b::bigint), 16, '0'), 'transactions',
		'acc_user_789', 'acc_merchant_456', '1500.50'::numeric, 'INR')
	ON CONFLICT DO NOTHING RETURNING transaction_id, source
)
INSERT INTO payhook.jobs (transaction_id, source) SELECT transaction_id, source FROM stored;
