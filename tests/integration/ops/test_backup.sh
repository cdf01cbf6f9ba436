#!/bin/bash
# test_backup.sh - ./payhook backup and restore between databases; prints TAP.
set -euo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../.." && pwd)
# shellcheck source=tests/support/shell_database.sh disable=SC1091
source "$ROOT/tests/support/shell_database.sh"
SCHEMA=yes

# Prepares a database with transactions and jobs, and the name of a file for its backup.
fresh() {
	export PAYHOOK_VAR="$DIR/var $COUNT" PAYHOOK_ENV_FILE="$DIR/env" DATABASE_URL=$DB
	mkdir -p "$PAYHOOK_VAR"
	: >"$PAYHOOK_ENV_FILE"
	FILE="$DIR/backup $COUNT"
	fill
	fill_payload
}

fill() {
	psql -X -q -o /dev/null -d "$DB" <<-'SQL'
		INSERT INTO payhook.transactions (transaction_id, source_account, destination_account, amount, currency, created_at)
		SELECT id, 'acc_a', 'acc_b', 15.50, 'INR', '2026-10-01 10:00Z' FROM unnest('{done,ready,claimed,waiting,dead}'::text[]) id;
		INSERT INTO payhook.jobs (transaction_id) VALUES ('ready'), ('claimed'), ('waiting');
		UPDATE payhook.jobs SET owner = 7, claimed_at = now(), attempt = 1 WHERE transaction_id = 'claimed';
		UPDATE payhook.jobs SET run_at = now() + interval '1 hour', attempt = 1 WHERE transaction_id = 'waiting';
		UPDATE payhook.transactions SET status = 'PROCESSED', processed_at = '2026-10-01 10:01Z' WHERE transaction_id = 'done';
		UPDATE payhook.transactions SET status = 'FAILED', failure = 'no' WHERE transaction_id = 'dead';
		INSERT INTO payhook.dead_jobs VALUES ('dead', 'transactions', 12, 'no', now());
		INSERT INTO payhook.transaction_conflicts (transaction_id, source, ordinal, body_sha256, body, request_id)
		VALUES ('done', 'transactions', 1, sha256('{}'), '{}', 'r');
		INSERT INTO payhook.workers (owner, host, pid, version) VALUES (7, 'elsewhere', 1, '0');
		SELECT payhook.keep_attempts(30);
		INSERT INTO payhook.job_attempts VALUES ('done', 'transactions', 1, now(), now(), 'processed', NULL, 7);
	SQL
}

# A kept webhook, as it came, of a day of its own.
fill_payload() {
	psql -X -q -o /dev/null -d "$DB" <<-'SQL'
		CREATE TABLE payhook.payloads_20261001 PARTITION OF payhook.payloads
			FOR VALUES FROM ('2026-10-01 00:00Z') TO ('2026-10-02 00:00Z');
		INSERT INTO payhook.payloads (received_at, request_id, source, content_type, headers, body)
		VALUES ('2026-10-01 10:00Z', '0123456789abcdef0123456789abcdef', 'transactions', 'application/json', '{"user-agent": "a"}', '\xff00');
		UPDATE payhook.transactions t SET payload_id = p.payload_id, payload_at = p.received_at FROM payhook.payloads p
		WHERE t.transaction_id = 'ready';
		SELECT payhook.keep_unreadable('{stripe}', '{0123456789abcdef0123456789abcdef}', '{application/json}', ARRAY['{"user-agent": "a"}'],
			ARRAY['\xff00'::bytea], '{""}', '{malformed}');
	SQL
}

# payhook EXPECTED-STATUS ARGS... - runs ./payhook; the output is in $output.
payhook() {
	local expected=$1 status=0
	shift
	output=$("$ROOT/payhook" "$@" 2>&1) || status=$?
	expect "exit status of $1, printing $output" "$status" "$expected"
}

# bare - switches to another database, without a schema; other - to one with a schema, as "payhook up" creates it.
bare() {
	create "other$COUNT"
	export DATABASE_URL=$DB
}

other() {
	create_payhook "other$COUNT"
	export DATABASE_URL=$DB
}

everything() {
	value "SET timezone = UTC; TABLE payhook.transactions; TABLE payhook.dead_jobs; TABLE payhook.transaction_conflicts;
		TABLE payhook.job_attempts; TABLE payhook.payloads; TABLE payhook.unreadable_webhooks; TABLE payhook.migrations;
		SELECT transaction_id, attempt, enqueued_at, run_at, last_error FROM payhook.jobs ORDER BY transaction_id"
}

what_was_saved_comes_back_and_no_worker_has_it() {
	local before last
	before=$(everything)
	last=$(value 'SELECT max(id) FROM payhook.jobs')
	payhook 0 backup "$FILE"
	expect "mode" "$(stat -c %a "$FILE")" 600
	other
	payhook 0 restore "$FILE"
	[[ $output == *"restored 5 transactions, the last accepted at 2026-10-01 10:00:00Z; 3 are to be processed"* ]]
	expect "everything" "$(everything)" "$before"
	expect "claimed" "$(value 'SELECT count(*) FROM payhook.jobs WHERE owner IS NOT NULL')" 0
	expect "fresh" "$(value "SELECT id > $last FROM payhook.jobs WHERE transaction_id = 'claimed'")" t
	expect "workers" "$(value 'SELECT count(*) FROM payhook.workers')" 0
	expect "paused" "$(value 'SELECT paused FROM payhook.queue_depth')" t
	expect "the payload of a transaction" "$(value "SELECT encode(body, 'hex') FROM payhook.payloads JOIN payhook.transactions
		USING (payload_id) WHERE payload_at = received_at AND transaction_id = 'ready'")" ff00
	expect "the next payload is new" "$(value "SELECT nextval('payhook.payload_ids') > max(payload_id) FROM payhook.payloads")" t
	expect "difference" "$(value 'SELECT sum(abs(difference)) FROM payhook.reconciliation')" 0
	expect "the next job is new" "$(value "INSERT INTO payhook.jobs (transaction_id) VALUES ('x') RETURNING id > $last")" t
}

the_day_of_the_restore_has_its_partitions() {
	value "DO \$\$ BEGIN EXECUTE 'DROP TABLE payhook.' || payhook.payloads_day((now() AT TIME ZONE 'UTC')::date); END \$\$"
	payhook 0 backup "$FILE"
	bare
	payhook 0 restore "$FILE"
	value "INSERT INTO payhook.payloads (source, content_type, headers, body) VALUES ('s', 'application/json', '{}', '')"
}

an_instance_that_has_kept_webhooks_is_left_alone() {
	payhook 0 backup "$FILE"
	other
	value "INSERT INTO payhook.payloads (source, content_type, headers, body) VALUES ('s', 'application/json', '{}', '')"
	payhook 1 restore "$FILE"
	[[ $output == *"this payhook has kept webhooks"* ]]
	expect "the webhook" "$(value 'SELECT count(*) FROM payhook.payloads')" 1
}

an_instance_that_has_unreadable_webhooks_is_left_alone() {
	payhook 0 backup "$FILE"
	other
	value "SELECT payhook.keep_unreadable('{s}', '{\"\"}', '{text/plain}', ARRAY['{}'], ARRAY[''::bytea], '{\"\"}', '{malformed}')"
	payhook 1 restore "$FILE"
	[[ $output == *"this payhook has webhooks that could not be mapped"* && $output == *"nothing was restored"* ]]
	expect "the webhook" "$(value 'SELECT source FROM payhook.unreadable')" s
	expect "transactions" "$(value 'SELECT count(*) FROM payhook.transactions')" 0
}

# Its body is known: a repetition is counted, and another body gets a number of its own.
unreadable_webhooks_come_back_too() {
	payhook 0 backup "$FILE"
	other
	payhook 0 restore "$FILE"
	value "SELECT payhook.keep_unreadable('{stripe,stripe}', '{\"\",\"\"}', '{a,a}', ARRAY['{}', '{}'],
		ARRAY['\xff00'::bytea, ''::bytea], '{\"\",\"\"}', '{malformed,malformed}')" >/dev/null
	expect "the webhooks" "$(value "SELECT string_agg(count || ' ' || bytes, ',' ORDER BY unreadable_id) FROM payhook.unreadable")" '2 2,1 0'
}

through_pipes_and_into_a_bare_database_as_well() {
	local before
	before=$(everything)
	"$ROOT/payhook" backup - >"$FILE"
	bare
	# From a pipe, which cannot be read twice.
	tail -c +1 "$FILE" | "$ROOT/payhook" restore - >"$DIR/output"
	expect "search path" "$(value 'SHOW search_path')" "payhook, public"
	expect "everything" "$(everything)" "$before"
}

# In a folder that others can write to, one of them may have made the file first.
it_writes_through_no_link() {
	echo precious >"$DIR/precious"
	ln -s -- "$DIR/precious" "$FILE.part"
	payhook 0 backup "$FILE"
	expect "the file elsewhere" "$(<"$DIR/precious")" precious
	[[ -f $FILE && ! -L $FILE ]]
	expect "its mode" "$(stat -c %a -- "$FILE")" 600
}

it_overwrites_nothing() {
	echo precious >"$FILE"
	payhook 1 backup "$FILE"
	[[ $output == *"$FILE is there already"* ]]
	expect "the file" "$(<"$FILE")" precious
	rm "$FILE"
	payhook 0 backup "$FILE"
	local before
	before=$(everything)
	payhook 1 restore "$FILE"
	[[ $output == *"this payhook has transactions; restore into an empty one"* && $output == *"nothing was restored"* ]]
	expect "everything" "$(everything)" "$before"
	expect "workers" "$(value 'SELECT count(*) FROM payhook.workers')" 1
}

# It is outside of the schema that a backup has.
the_view_of_the_old_service_comes_back() {
	payhook 0 backup "$FILE"
	other
	payhook 0 restore "$FILE"
	expect "rows" "$(value 'SET ROLE payhook_operator; SELECT count(*) FROM transactions_transaction')" 5
}

a_damaged_file_changes_nothing() {
	local size n
	# Random values, which hardly compress: so the cuts lie within the rows.
	psql -X -q -d "$DB" -c "INSERT INTO payhook.transactions (transaction_id, source_account, destination_account, amount, currency)
		SELECT md5(n::text), md5(random()::text), 'b', 1, 'INR' FROM generate_series(1, 20000) n"
	payhook 0 backup "$FILE"
	size=$(stat -c %s "$FILE")
	[[ $size =~ ^[0-9]+$ ]]
	other
	for n in 0 100 $((size / 2)) $((size - 2000)) $((size - 3)); do
		head -c "$n" "$FILE" >"$FILE.cut"
		payhook 1 restore "$FILE.cut"
		[[ $output == *"nothing was restored"* ]]
		expect "rows" "$(value 'SELECT count(*) FROM payhook.transactions')" 0
		expect "paused" "$(value 'SELECT count(*) FROM payhook.pauses')" 0
	done
	payhook 0 restore "$FILE"
	expect "rows" "$(value 'SELECT count(*) FROM payhook.transactions')" 20005
}

a_failed_backup_leaves_no_file() {
	psql -X -q -d "$DB" -c 'DROP SCHEMA payhook CASCADE'
	payhook 1 backup "$FILE"
	[[ $output == *"the backup failed"* ]]
	expect "files" "$(find "$DIR" -name "backup $COUNT*")" ""
	payhook 1 backup "$DIR/nowhere/file"
	payhook 2 backup
	payhook 2 restore
	payhook 1 restore "$FILE"
	[[ $output == *"$FILE cannot be read"* ]]
}

a_backup_of_an_older_version_is_migrated() {
	local all
	all=$(value 'SELECT count(*) FROM payhook.migrations')
	mkdir "$DIR/older $COUNT"
	cp "$ROOT"/schema/000[1-8]_*.sql "$DIR/older $COUNT"
	psql -X -q -d "$DB" -c 'DROP SCHEMA payhook CASCADE'
	PAYHOOK_SCHEMA="$DIR/older $COUNT" "$ROOT/schema/migrate" "$DB" >"$DIR/log"
	fill
	payhook 0 backup "$FILE"
	other
	payhook 0 restore "$FILE"
	expect "migrations" "$(value 'SELECT count(*) FROM payhook.migrations')" "$all"
	expect "rows" "$(value 'SELECT count(*) FROM payhook.transactions')" 5
}

a_webhook_that_comes_meanwhile_is_kept() {
	payhook 0 backup "$FILE"
	other
	# The webhook's row exists and is not committed when the restore begins.
	mkfifo "$DIR/pipe $COUNT"
	psql -X -q -d "$DB" <"$DIR/pipe $COUNT" &
	exec 7>"$DIR/pipe $COUNT"
	echo "BEGIN; INSERT INTO payhook.transactions (transaction_id, source_account, destination_account, amount, currency)
		VALUES ('new', 'a', 'b', 1, 'INR');" >&7
	await_session "state = 'idle in transaction'"
	payhook 1 restore "$FILE" 7>&- &
	await_session "wait_event_type = 'Lock'"
	echo "COMMIT;" >&7
	exec 7>&-
	wait "$!"
	expect "rows" "$(value 'SELECT transaction_id FROM payhook.transactions')" new
}

# program VERSION NAME - gives this version of PostgreSQL a program, which is the script on standard input.
program() {
	mkdir -p "$DIR/versions/$1/bin"
	{ printf '#!/bin/bash\n' && cat; } >"$DIR/versions/$1/bin/$2"
	chmod 755 "$DIR/versions/$1/bin/$2"
}

# with_versions EXPECTED-STATUS COMMAND... - runs a function of ops/backup.sh with the versions that "program" made.
with_versions() {
	local expected=$1 status=0
	output=$(
		export HERE=$ROOT
		# shellcheck source=ops/settings.sh
		source "$ROOT/ops/settings.sh"
		# shellcheck source=ops/backup.sh
		source "$ROOT/ops/backup.sh"
		POSTGRES_FOLDERS=$DIR/versions CONNINFO=$DATABASE_URL
		"${@:2}" 2>&1
	) || status=$?
	expect "exit status of $2, printing $output" "$status" "$expected"
}

# A pg_dump and a pg_restore of version 99 stand in for those of a server newer than Debian's.  Its pg_restore begins with a setting
# that no server has, as that of 17 does for a server of 15.
the_newest_programs_are_used_and_an_older_server_takes_what_they_write() {
	local before
	before=$(everything)
	mkdir "$DIR/versions"
	ln -s -- "${PGBIN%/bin}" "$DIR/versions/15"
	program 9 pg_dump <<<'exit 9'
	program 99 pg_dump <<<"echo dump >>'$DIR/used'; exec '$PGBIN/pg_dump' \"\$@\""
	program 99 pg_restore <<<"set -o pipefail; echo restore >>'$DIR/used'; '$PGBIN/pg_restore' \"\$@\" | sed 's/^SET client_encoding/SET new_timeout = 0;\\n&/'"
	with_versions 0 backup_run "$FILE"
	[[ $output == *"programs of version 99 or newer"* ]]
	other
	with_versions 0 restore_run "$FILE"
	expect "everything" "$(everything)" "$before"
	expect "programs" "$(sort -u "$DIR/used" | paste -sd' ')" "dump restore"
}

a_server_newer_than_the_programs_is_named() {
	rm -rf -- "$DIR/versions"
	program 15 pg_dump <<<'exit 1'
	program 16 pg_dump <<<'exit 1'
	# shellcheck disable=SC2317
	psql() { echo 170002; }
	with_versions 1 backup_run "$FILE"
	[[ $output == *"the server is PostgreSQL 17, and the newest pg_dump here is of 16: install package postgresql-client-17"* ]]
	rm -rf -- "$DIR/versions"
	with_versions 1 backup_run "$FILE"
	[[ $output == *"pg_dump is missing: package postgresql-client"* ]]
	unset -f psql
	expect "files" "$(find "$DIR" -name "backup $COUNT*")" ""
}

a_file_of_a_newer_pg_dump_is_named() {
	payhook 0 backup "$FILE"
	# The minor version of the format, after "PGDMP" and the major one.
	printf '\x63' | dd of="$FILE" bs=1 seek=6 conv=notrunc status=none
	other
	payhook 1 restore "$FILE"
	[[ $output == *"written by a pg_dump that is newer than PostgreSQL "*", the newest here"* && $output == *"nothing was restored"* ]]
	expect "rows" "$(value 'SELECT count(*) FROM payhook.transactions')" 0
}

TESTS=(
	what_was_saved_comes_back_and_no_worker_has_it
	the_day_of_the_restore_has_its_partitions
	an_instance_that_has_kept_webhooks_is_left_alone
	an_instance_that_has_unreadable_webhooks_is_left_alone unreadable_webhooks_come_back_too
	through_pipes_and_into_a_bare_database_as_well
	it_overwrites_nothing
	it_writes_through_no_link
	the_view_of_the_old_service_comes_back
	a_damaged_file_changes_nothing
	a_failed_backup_leaves_no_file
	a_backup_of_an_older_version_is_migrated
	a_webhook_that_comes_meanwhile_is_kept
	the_newest_programs_are_used_and_an_older_server_takes_what_they_write
	a_server_newer_than_the_programs_is_named
	a_file_of_a_newer_pg_dump_is_named
)

# Runs all tests, or those named as arguments.
[[ $# -eq 0 ]] || TESTS=("$@")
run_all "${TESTS[@]}"
