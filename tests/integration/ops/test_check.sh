#!/bin/bash
# test_check.sh - payhook-ctl check, on a primary and a standby of its own; prints TAP.
set -euo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../.." && pwd)
# shellcheck source=tests/support/tap.sh
source "$ROOT/tests/support/tap.sh"
deadline 240 "$@"
tap_folder check
unset "${!PG@}"
PGBIN=${PAYHOOK_TEST_PGBIN:-/usr/lib/postgresql/15/bin}
CTL=${PAYHOOK_BUILD:-$ROOT/build}/ctl/payhook-ctl
PIDS=()

clean_up() {
	[[ ${#PIDS[@]} -eq 0 ]] || kill -INT "${PIDS[@]}" 2>/dev/null || true
	wait
}

as_postgres() {
	local -a drop=()
	[[ $EUID -ne 0 ]] || drop=(--reuid=postgres --regid=postgres --init-groups)
	exec setpriv "${drop[@]}" --pdeathsig INT -- "$@"
}

# cluster NAME [ARGS] - creates a cluster in a directory of that name.
cluster() {
	mkdir "$DIR/$1"
	[[ $EUID -ne 0 ]] || chown postgres: "$DIR/$1"
	(cd "$DIR/$1" && as_postgres "$PGBIN/initdb" -D "$DIR/$1/data" -U postgres -A trust --no-sync --no-instructions \
		"${@:2}") >"$DIR/$1.log" 2>&1
}

# start NAME - must not run inside a check, so that the script can end the server.
start() {
	(cd "$DIR/$1" && as_postgres "$PGBIN/postgres" -D "$DIR/$1/data" -k "$DIR/$1" -c listen_addresses= \
		-c shared_buffers=16MB -c wal_keep_size=64MB) >>"$DIR/$1.log" 2>&1 &
	PIDS+=($!)
	await 30 "$PGBIN/pg_isready" -q -h "$DIR/$1"
}

standby() {
	mkdir "$DIR/standby"
	[[ $EUID -ne 0 ]] || chown postgres: "$DIR/standby"
	(cd "$DIR/standby" && as_postgres "$PGBIN/pg_basebackup" -D "$DIR/standby/data" -c fast -X stream -R --no-sync \
		-d "host=$DIR/primary user=postgres application_name=standby") >"$DIR/standby.log" 2>&1
	start standby
	await 30 streams
}

streams() {
	equal "$(sql "SELECT state FROM pg_stat_replication WHERE application_name = 'standby'")" streaming
}

sql() {
	psql -X -q -At -h "$DIR/primary" -U postgres -d postgres -c "$1"
}

# set_and_await NAME VALUE - until new sessions of the primary have the value.
set_and_await() {
	sql "ALTER SYSTEM SET $1 = '$2'"
	sql 'SELECT pg_reload_conf()' >/dev/null
	await 20 has "$1" "$2"
}

has() {
	equal "$(sql "SHOW $1")" "$2"
}

# reports SERVER STATUS TEXT... - the exit status, and lines that contain these texts, whatever the number of spaces.
reports() {
	local server=$1 wanted=$2 output status=0 text
	shift 2
	output=$(env -i PATH="$PATH" DATABASE_URL="host=$server user=${AS:-postgres} dbname=postgres" "$CTL" check 2>&1 | tr -s ' '
		exit "${PIPESTATUS[0]}") || status=$?
	for text in "$@"; do
		[[ $output == *"$text"* ]] || { printf 'it lacks "%s":\n%s\n' "$text" "$output" && return 1; }
	done
	[[ $status == "$wanted" ]] || { printf 'status %s, wanted %s:\n%s\n' "$status" "$wanted" "$output" && return 1; }
}

a_server_with_the_defaults_keeps_the_promise_on_one_machine() {
	reports "$DIR/primary" 0 $'\nserver writable ok' $'\nfsync on ok' $'\nfull_page_writes on ok' $'\ndata_checksums on ok' \
		$'\nsynchronous_commit on ok' $'\nsynchronous_standby_names (empty) note' \
		$'\nPromise: kept, as long as the disk of this one server is.'
}

# each_weakens SETTING VALUE GOOD-VALUE - the setting breaks the promise, and is named.
each_weakens() {
	set_and_await "$1" "$2"
	reports "$DIR/primary" 1 $'\n'"$1 $2 NOT KEPT" $'\nPromise: NOT KEPT'
	set_and_await "$1" "$3"
}

what_a_role_overrides_is_reported() {
	sql "CREATE ROLE payhook_app LOGIN; ALTER ROLE payhook_app SET synchronous_commit = off"
	AS=payhook_app reports "$DIR/primary" 1 $'\nsynchronous_commit off NOT KEPT'
	sql "ALTER ROLE payhook_app RESET synchronous_commit"
}

a_synchronous_standby_is_reported() {
	set_and_await synchronous_standby_names 'ANY 1 (standby)'
	await 20 reports "$DIR/primary" 0 $'\nsynchronous_standby_names ANY 1 (standby) ok' ' 1 of 1 ' $'\nstrict as far as seen' \
		$'\nPromise: kept, also if this server is lost.'
}

a_role_that_may_not_look_learns_which_right_it_lacks() {
	AS=payhook_app reports "$DIR/primary" 0 $'\nsynchronous_standby_names ANY 1 (standby) note' pg_read_all_stats
}

a_standby_too_few_is_reported() {
	set_and_await synchronous_standby_names 'FIRST 2 (standby, other)'
	await 20 reports "$DIR/primary" 0 $'\nsynchronous_standby_names FIRST 2 (standby, other) note' ' 1 of 2 ' '503'
}

local_commits_break_the_promise_beside_a_standby() {
	set_and_await synchronous_standby_names standby
	each_weakens synchronous_commit local on
	set_and_await synchronous_commit remote_write
	reports "$DIR/primary" 0 $'\nsynchronous_commit remote_write note'
	set_and_await synchronous_commit on
}

an_asynchronous_standby_is_reported() {
	set_and_await synchronous_standby_names ''
	reports "$DIR/primary" 1 $'\nsynchronous_standby_names (empty) NOT KEPT' $'\nPromise: NOT KEPT'
}

a_standby_is_no_primary() {
	reports "$DIR/standby" 1 'the server cannot be checked: the database is a standby'
}

a_read_only_server_is_reported() {
	each_weakens default_transaction_read_only on off
}

a_server_that_is_not_there_is_reported() {
	reports "$DIR/nowhere" 1 'payhook-ctl: the server cannot be checked: '
}

no_server_is_named() {
	local output status=0
	output=$(env -i PATH="$PATH" "$CTL" check 2>&1) || status=$?
	equal "$status" 2 && [[ $output == *DATABASE_URL* ]]
}

cluster primary --data-checksums
start primary
check "a server with the defaults keeps the promise on one machine" a_server_with_the_defaults_keeps_the_promise_on_one_machine
check "fsync = off breaks it" each_weakens fsync off on
check "full_page_writes = off breaks it" each_weakens full_page_writes off on
check "synchronous_commit = off breaks it" each_weakens synchronous_commit off on
check "a read-only server is reported" a_read_only_server_is_reported
check "what a role overrides is reported" what_a_role_overrides_is_reported
standby
check "a synchronous standby is reported" a_synchronous_standby_is_reported
check "a role that may not look learns which right it lacks" a_role_that_may_not_look_learns_which_right_it_lacks
check "a standby too few is reported" a_standby_too_few_is_reported
check "local commits break the promise beside a synchronous standby" local_commits_break_the_promise_beside_a_standby
check "an asynchronous standby breaks the promise" an_asynchronous_standby_is_reported
check "a standby is no primary" a_standby_is_no_primary
cluster plain
start plain
check "a server without checksums is reported" reports "$DIR/plain" 0 $'\ndata_checksums off note'
check "a server that is not there is reported" a_server_that_is_not_there_is_reported
check "without a server's name nothing is checked" no_server_is_named
finish
