#!/bin/bash
# test_migrate.sh - schema/migrate with a PostgreSQL of its own; prints TAP.
set -euo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../.." && pwd)
# shellcheck source=tests/support/shell_database.sh disable=SC1091
source "$ROOT/tests/support/shell_database.sh"

# Each test also has a directory of migrations of its own.
fresh() {
	export PAYHOOK_SCHEMA="$DIR/schema $COUNT"
	mkdir "$PAYHOOK_SCHEMA"
	echo 'CREATE TABLE payhook.one (n int);' >"$PAYHOOK_SCHEMA/0001_one.sql"
	echo 'INSERT INTO payhook.one VALUES (1);' >"$PAYHOOK_SCHEMA/0002_two.sql"
}

migrate() {
	"$ROOT/schema/migrate" "$DB"
}

# refuses TEXT - migrate fails with this text and does not change the table of migrations.
refuses() {
	local before after output status=0
	before=$(value 'SELECT count(*) FROM payhook.migrations' 2>/dev/null || echo none)
	output=$(migrate 2>&1) || status=$?
	after=$(value 'SELECT count(*) FROM payhook.migrations')
	[[ $status -eq 1 ]] || expect "exit status" "$status" 1
	[[ $output == *"$1"* ]] || expect "output" "$output" "$1"
	[[ $before == none ]] || expect "migrations" "$after" "$before"
}

applies_the_real_schema_in_order() {
	local files
	unset PAYHOOK_SCHEMA
	migrate
	files=$(cd "$ROOT/schema" && printf '%s\n' [0-9]*.sql | paste -sd,)
	expect "names" "$(value "SELECT string_agg(name, ',' ORDER BY version) FROM payhook.migrations")" "$files"
	expect "sha256" "$(value 'SELECT sha256 FROM payhook.migrations WHERE version = 1')" \
		"$(sha256sum <"$ROOT/schema/0001_transactions.sql" | cut -d ' ' -f 1)"
	expect "columns without a comment" "$(value "SELECT count(*) FROM pg_attribute a
		WHERE attrelid = 'payhook.migrations'::regclass AND attnum > 0 AND col_description(attrelid, attnum) IS NULL")" 0
}

a_second_run_changes_nothing() {
	migrate
	local before
	before=$(value 'SELECT max(applied_at) FROM payhook.migrations')
	expect "output" "$(migrate)" ""
	expect "last applied" "$(value 'SELECT max(applied_at) FROM payhook.migrations')" "$before"
	expect "rows" "$(value 'SELECT count(*) FROM payhook.one')" 1
}

a_new_file_is_applied_alone() {
	migrate
	echo 'INSERT INTO payhook.one VALUES (3);' >"$PAYHOOK_SCHEMA/0010_ten.sql"
	expect "output" "$(migrate)" "migrate: 0010_ten.sql"
	expect "rows" "$(value 'SELECT count(*) FROM payhook.one')" 2
}

many_starters_at_once_apply_each_file_once() {
	local -a starters=()
	local i starter
	# Long enough for the other processes to wait for the lock.
	echo 'SELECT pg_sleep(0.2); INSERT INTO payhook.one VALUES (3);' >"$PAYHOOK_SCHEMA/0003_slow.sql"
	for ((i = 0; i < 8; i++)); do
		migrate &
		starters+=("$!")
	done
	for starter in "${starters[@]}"; do
		wait "$starter"
	done
	expect "rows" "$(value 'SELECT count(*) FROM payhook.one')" 2
	expect "migrations" "$(value 'SELECT count(*) FROM payhook.migrations')" 3
}

a_failing_file_leaves_no_trace() {
	printf 'CREATE TABLE payhook.left_behind (n int);\nSELECT 1/0;\n' >"$PAYHOOK_SCHEMA/0003_fails.sql"
	migrate >/dev/null 2>&1 && return 1
	refuses "0003_fails.sql:2: ERROR:  division by zero"
	refuses "0003_fails.sql failed"
	expect "its table" "$(value "SELECT to_regclass('payhook.left_behind') IS NULL")" t
	expect "those before it" "$(value 'SELECT count(*) FROM payhook.migrations')" 2
}

a_changed_file_is_refused() {
	migrate
	echo '-- more' >>"$PAYHOOK_SCHEMA/0001_one.sql"
	echo 'INSERT INTO payhook.one VALUES (3);' >"$PAYHOOK_SCHEMA/0003_three.sql"
	refuses "0001_one.sql has changed since it was applied"
	expect "rows" "$(value 'SELECT count(*) FROM payhook.one')" 1
}

a_file_before_the_last_applied_is_refused() {
	echo 'INSERT INTO payhook.one VALUES (5);' >"$PAYHOOK_SCHEMA/0005_five.sql"
	migrate
	echo 'INSERT INTO payhook.one VALUES (4);' >"$PAYHOOK_SCHEMA/0004_four.sql"
	refuses "0004_four.sql comes before"
}

two_files_of_one_number_are_refused() {
	migrate
	cp "$PAYHOOK_SCHEMA/0002_two.sql" "$PAYHOOK_SCHEMA/002_again.sql"
	refuses "have the same number"
}

a_newer_database_is_left_alone() {
	migrate
	rm "$PAYHOOK_SCHEMA/0002_two.sql"
	local output
	output=$(migrate 2>&1)
	[[ $output == *"migration 2, which this version of payhook does not know"* ]]
}

# hold - another connection reads payhook.one, in a transaction that stays open until descriptor 7 is closed.
hold() {
	mkfifo "$DIR/pipe $COUNT"
	psql -X -q -o /dev/null -d "$DB" <"$DIR/pipe $COUNT" &
	exec 7>"$DIR/pipe $COUNT"
	echo "BEGIN; SELECT FROM payhook.one;" >&7
	await_session "state = 'idle in transaction'"
}

a_long_query_holds_the_migration_up_and_nobody_else() {
	local migration
	migrate
	hold
	echo 'ALTER TABLE payhook.one ADD COLUMN more int;' >"$PAYHOOK_SCHEMA/0003_more.sql"
	migrate >"$DIR/output" 2>&1 7>&- &
	migration=$!
	await_session "wait_event_type = 'Lock'"
	# As a responder would, again and again while the migration tries.
	for _ in {1..20}; do
		value "SET statement_timeout = 450; INSERT INTO payhook.one VALUES (2)"
	done
	expect "it still waits" "$(value 'SELECT count(*) FROM payhook.migrations')" 2
	exec 7>&-
	wait "$migration"
	[[ $(<"$DIR/output") == *"0003_more.sql waits for a lock"*"migrate: 0003_more.sql" ]]
	expect "migrations" "$(value 'SELECT count(*) FROM payhook.migrations')" 3
	expect "rows" "$(value 'SELECT count(*) FROM payhook.one WHERE more IS NULL')" 21
}

a_lock_that_is_never_given_ends_it_and_leaves_no_trace() {
	migrate
	hold
	printf 'CREATE TABLE payhook.left_behind (n int);\nDROP TABLE payhook.one;\n' >"$PAYHOOK_SCHEMA/0003_drops.sql"
	export PAYHOOK_LOCK_TRIES=2
	refuses "0003_drops.sql:2: ERROR:  canceling statement due to lock timeout"
	exec 7>&-
	expect "its table" "$(value "SELECT to_regclass('payhook.left_behind') IS NULL")" t
}

# outside - a migration that builds an index outside a transaction.
outside() {
	cat >"$PAYHOOK_SCHEMA/0003_index.sql" <<-'SQL'
		-- Outside a transaction.
		SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('payhook.one_n') AND NOT indisvalid) AS is_left \gset
		\if :is_left
			BEGIN;
			LOCK TABLE payhook.one IN SHARE UPDATE EXCLUSIVE MODE;
			SET LOCAL lock_timeout = '200ms';
			DO $$ BEGIN
				IF EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('payhook.one_n') AND NOT indisvalid) THEN
					DROP INDEX payhook.one_n;
				END IF;
			END $$;
			COMMIT;
		\endif
		CREATE INDEX CONCURRENTLY IF NOT EXISTS one_n ON payhook.one (n);
		DO $$ BEGIN
			IF NOT (SELECT indisvalid FROM pg_index WHERE indexrelid = 'payhook.one_n'::regclass) THEN
				RAISE EXCEPTION 'the index one_n is not valid yet';
			END IF;
		END $$;
	SQL
}

index_valid() {
	value "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('payhook.one_n')"
}

# What builds an index waits for every transaction that writes to the table, and none waits for it.
an_index_is_built_while_others_write() {
	local migration
	migrate
	hold
	echo "INSERT INTO payhook.one VALUES (9);" >&7
	await_session "state = 'idle in transaction' AND backend_xid IS NOT NULL"
	outside
	migrate >"$DIR/output" 2>&1 7>&- &
	migration=$!
	await_session "wait_event_type = 'Lock'"
	for _ in {1..20}; do
		value "SET statement_timeout = 450; INSERT INTO payhook.one VALUES (2)"
	done
	expect "it still waits" "$(value 'SELECT count(*) FROM payhook.migrations')" 2
	exec 7>&-
	wait "$migration"
	expect "output" "$(<"$DIR/output")" "migrate: 0003_index.sql"
	expect "the index is valid" "$(index_valid)" t
	expect "migrations" "$(value 'SELECT count(*) FROM payhook.migrations')" 3
}

many_starters_at_once_build_one_index() {
	local pids=() pid
	migrate
	outside
	for _ in {1..5}; do
		migrate >>"$DIR/output" 2>&1 &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || expect "migrate" "$(<"$DIR/output")" "no error"
	done
	expect "the index is valid" "$(index_valid)" t
	expect "migrations" "$(value 'SELECT count(*) FROM payhook.migrations')" 3
}

an_index_that_was_broken_off_is_built_again() {
	migrate
	outside
	value "CREATE INDEX one_n ON payhook.one (n); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'payhook.one_n'::regclass"
	migrate
	expect "the index is valid" "$(index_valid)" t
}

# Of two starters that find a broken index one drops it: the other has no error, and does not drop what the first has built.
two_starters_find_a_broken_index() {
	local pids=() pid
	migrate
	outside
	value "CREATE INDEX one_n ON payhook.one (n); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'payhook.one_n'::regclass"
	hold
	for _ in 1 2; do
		migrate >>"$DIR/output" 2>&1 7>&- &
		pids+=($!)
	done
	# Each waits for 200 ms at a time: the session that holds the lock lets go at the moment when both do.
	echo "DO \$\$ BEGIN
			FOR i IN 1..6000 LOOP
				IF (SELECT count(*) FROM pg_locks WHERE NOT granted) = 2 THEN RETURN; END IF;
				PERFORM pg_sleep(0.01);
			END LOOP;
			RAISE 'they never wait at one time';
		END \$\$;
		CREATE TABLE payhook.both_waited ();
		COMMIT;" >&7
	exec 7>&-
	for pid in "${pids[@]}"; do
		wait "$pid" || expect "migrate" "$(<"$DIR/output")" "no error"
	done
	expect "both waited" "$(value "SELECT to_regclass('payhook.both_waited')")" payhook.both_waited
	expect "the index is valid" "$(index_valid)" t
	expect "migrations" "$(value 'SELECT count(*) FROM payhook.migrations')" 3
}

no_server_is_one_clear_line() {
	local output status=0
	output=$("$ROOT/schema/migrate" "host=$DIR/nowhere" 2>&1) || status=$?
	expect "exit status" "$status" 3
	[[ $output == *"no connection to the database"* ]]
}

# secret_refused TEXT - the file of a secret is refused with this reason.
secret_refused() {
	local REASON=
	filed_take && expect "a file is refused" accepted "$1"
	[[ $REASON == *"$1"* ]] || expect "the reason" "$REASON" "$1"
}

# shellcheck disable=SC2034
a_secret_file_is_one_line() {
	local POSTGRES_PASSWORD='' POSTGRES_PASSWORD_FILE
	# shellcheck source=../../ops/conninfo.sh disable=SC1091
	source "$ROOT/ops/conninfo.sh"
	printf ' a \\ b\r\n' >"$DIR/secret"
	POSTGRES_PASSWORD_FILE=$DIR/secret
	filed_take
	expect "the password" "$POSTGRES_PASSWORD" ' a \ b'
	POSTGRES_PASSWORD_FILE=$DIR/secret
	secret_refused "both set"
	POSTGRES_PASSWORD='' POSTGRES_PASSWORD_FILE=$DIR/none
	secret_refused "cannot be read"
	printf '\n' >"$DIR/secret"
	POSTGRES_PASSWORD_FILE=$DIR/secret
	secret_refused "is empty"
	printf 'a\nb\n' >"$DIR/secret"
	POSTGRES_PASSWORD_FILE=$DIR/secret
	secret_refused "more than one line"
	printf '\xef\xbb\xbfhunter\n' >"$DIR/secret"
	POSTGRES_PASSWORD_FILE=$DIR/secret
	secret_refused "begins with a byte order mark"
	printf '\xff\xfeh\0u\0' >"$DIR/secret"
	POSTGRES_PASSWORD_FILE=$DIR/secret
	secret_refused "begins with a byte order mark"
}

the_settings_name_the_database() {
	POSTGRES_HOST=$SOCKETS POSTGRES_USER=postgres POSTGRES_DB=t$COUNT "$ROOT/schema/migrate"
	expect "migrations" "$(value 'SELECT count(*) FROM payhook.migrations')" 2
	printf '%s\n' "$DB" >"$DIR/url"
	DATABASE_URL_FILE=$DIR/url "$ROOT/schema/migrate"
	# A path in the file of settings is relative to that file.
	echo 'DATABASE_URL_FILE=url' >"$DIR/env"
	expect "payhook psql" "$(PAYHOOK_ENV_FILE=$DIR/env "$ROOT/payhook" psql -X -A -t -c 'SELECT current_database()')" "t$COUNT"
}

TESTS=(
	applies_the_real_schema_in_order
	a_second_run_changes_nothing
	a_new_file_is_applied_alone
	many_starters_at_once_apply_each_file_once
	a_failing_file_leaves_no_trace
	a_changed_file_is_refused
	a_file_before_the_last_applied_is_refused
	two_files_of_one_number_are_refused
	a_newer_database_is_left_alone
	a_long_query_holds_the_migration_up_and_nobody_else
	a_lock_that_is_never_given_ends_it_and_leaves_no_trace
	an_index_is_built_while_others_write
	many_starters_at_once_build_one_index
	an_index_that_was_broken_off_is_built_again
	two_starters_find_a_broken_index
	no_server_is_one_clear_line
	a_secret_file_is_one_line
	the_settings_name_the_database
)

# Runs all tests, or those named as arguments.
[[ $# -eq 0 ]] || TESTS=("$@")
run_all "${TESTS[@]}"
