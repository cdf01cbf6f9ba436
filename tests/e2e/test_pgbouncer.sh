#!/bin/bash
# test_pgbouncer.sh - a whole payhook behind PgBouncer, configured by docs/pgbouncer.md; prints TAP.
#
# Debian 12's PgBouncer 1.18 keeps no prepared statements in transaction mode, so payhook works in session mode and refuses the other.
# Later ones would work there; nothing here is for them.
set -euo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
unset "${!PG@}" DATABASE_URL "${!POSTGRES_@}"
PGBIN=${PAYHOOK_TEST_PGBIN:-/usr/lib/postgresql/15/bin}
# shellcheck source=tests/support/tap.sh
source "$ROOT/tests/support/tap.sh"
deadline 240 "$@"
tap_folder pgbouncer
SERVER='' POOLER=''
PORT=$((10000 + $$ % 3000 * 4))
POOLER_PORT=$((PORT + 1))
: >"$DIR/env"
export PAYHOOK_ENV_FILE=$DIR/env PAYHOOK_VAR=$DIR/var PAYHOOK_PORT=$PORT WORKER_METRICS_PORT=$((PORT + 2))
export PROCESSOR_DELAY_MS=0 WORKER_GRACE_MS=200
export DATABASE_URL=postgresql://payhook:secret@127.0.0.1:$POOLER_PORT/payhook

clean_up() {
	"$ROOT/payhook" down >/dev/null 2>&1 || true
	[[ -z $POOLER ]] || pooler_stop
	if [[ -n $SERVER ]]; then
		kill -INT "$SERVER" 2>/dev/null || true
		wait "$SERVER" 2>/dev/null || true
	fi
}

# as_postgres SIGNAL COMMAND... - with the signal that ends it when this script is killed.
as_postgres() {
	local -a drop=()
	[[ $EUID -ne 0 ]] || drop=(--reuid=postgres --regid=postgres --init-groups)
	cd "$DIR"
	exec env -i PATH="$PATH" setpriv "${drop[@]}" --pdeathsig "$1" -- "${@:2}"
}

# sql [DATABASE] - runs standard input as the superuser, on the server itself.
sql() {
	psql -X -q -At -v ON_ERROR_STOP=1 -h "$DIR/server" -U postgres -d "${1:-payhook}"
}

value() {
	sql <<<"$1"
}

server_start() {
	mkdir -m 755 -- "$DIR/server"
	[[ $EUID -ne 0 ]] || chown postgres: "$DIR/server"
	(as_postgres INT "$PGBIN/initdb" -D "$DIR/server/data" -U postgres -A trust --no-sync --no-instructions \
		--encoding=UTF8 --locale=C.UTF-8) >"$DIR/log" 2>&1
	printf 'local all postgres trust\nlocal all all scram-sha-256\n' >"$DIR/server/data/pg_hba.conf"
	(as_postgres INT "$PGBIN/postgres" -D "$DIR/server/data" -k "$DIR/server" -c listen_addresses= -c fsync=off -c log_connections=on) \
		>>"$DIR/log" 2>&1 &
	SERVER=$!
	await 20 "$PGBIN/pg_isready" -q -h "$DIR/server"
	sql postgres <<-'SQL'
		CREATE ROLE payhook LOGIN PASSWORD 'secret';
		CREATE DATABASE payhook OWNER payhook ENCODING 'UTF8' TEMPLATE template0;
		CREATE ROLE payhook_responder LOGIN PASSWORD 'secret';
		CREATE ROLE payhook_processor LOGIN PASSWORD 'secret';
	SQL
	grep '^ALTER ROLE' "$ROOT/docs/pgbouncer.md" | sql
}

# configure MODE [LINE] - the file of docs/pgbouncer.md, in this mode, with the addresses of the test.
configure() {
	awk '/^```/ { inside = $0 == "```ini"; next } inside' "$ROOT/docs/pgbouncer.md" |
		sed -e "s|^payhook = .*|payhook = host=$DIR/server dbname=payhook|" -e "s|^pool_mode = .*|pool_mode = $1|" \
			-e "s|^listen_port = .*|listen_port = $POOLER_PORT|" -e "s|^auth_file = .*|auth_file = $DIR/pooler/users|" \
			-e "s|^logfile = .*||" -e "s|^pidfile = .*||" -e "s|^unix_socket_dir = .*|unix_socket_dir = $DIR/pooler|" \
			-e "${2-}" >"$DIR/pgbouncer.ini"
	[[ -s $DIR/pgbouncer.ini ]]
}

pooler_start() {
	mkdir -p -- "$DIR/pooler"
	printf '"%s" "secret"\n' payhook payhook_responder payhook_processor >"$DIR/pooler/users"
	[[ $EUID -ne 0 ]] || chown -R postgres: "$DIR/pooler"
	(as_postgres TERM pgbouncer "$DIR/pgbouncer.ini") >>"$DIR/pooler.log" 2>&1 &
	POOLER=$!
	if ! await 20 answers >"$DIR/answers" 2>&1; then
		echo "Bail out! PgBouncer does not answer"
		note "$(tail -n 20 "$DIR/pooler.log")"
		exit 1
	fi
}

answers() {
	psql -X -q -At -d "$DATABASE_URL" -c 'SELECT 1'
}

# At SIGINT it would wait for its clients.
pooler_stop() {
	kill -TERM "$POOLER" 2>/dev/null || true
	wait "$POOLER" || true
	POOLER=
}

# post ID - posts a webhook and prints the status.
post() {
	curl -sS -m 10 --noproxy '*' -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' \
		-d '{"transaction_id":"'"$1"'","source_account":"a","destination_account":"b","amount":1,"currency":"INR"}' \
		"http://localhost:$PORT/v1/webhooks/transactions"
}

accepted() {
	equal "$(post "$1")" 202
}

processed() {
	equal "$(value "SELECT status FROM payhook.transactions WHERE transaction_id = '$1'")" PROCESSED
}

starts() {
	"$ROOT/payhook" up -d
}

accepts_and_processes() {
	accepted t1
	await 20 processed t1
}

# The worker's session stays its own, so notifications arrive: without them it looks for jobs twice a second.  Three tries, as other
# work on the machine only ever makes one longer.
listens() {
	woken 1 || woken 2 || woken 3
}

woken() {
	local n
	for n in {1..15}; do
		accepted "woken$1-$n" || return
		await 20 processed "woken$1-$n" || return
	done
	n=$(value "SELECT round(1000 * extract(epoch FROM percentile_disc(0.5) WITHIN GROUP (ORDER BY processed_at - created_at)))
		FROM payhook.transactions WHERE transaction_id ~ '^woken$1-'")
	echo "the median of the time to PROCESSED is $n ms"
	[[ $n =~ ^[0-9]+$ ]] && ((n < 200))
}

# A session that one client has given back is reset before the next one gets it, so nothing of the statements is left.
sessions_are_used_again() {
	"$ROOT/payhook" reload
	accepted t3
	"$ROOT/payhook" down
	"$ROOT/payhook" up -d
	accepted t4
	await 20 processed t4
	! grep -E 'mixed up|the database reports (42P05|26000)' "$DIR/var/log/pool.log" "$DIR/var/log/worker.log" || return 1
}

# has ROLE SETTING VALUE - in a session through the pooler.
has() {
	equal "$(psql -X -q -At -d "${DATABASE_URL/payhook:/$1:}" -c "SHOW $2")" "$3"
}

settings_of_roles() {
	has payhook_responder enable_seqscan off
	has payhook_responder statement_timeout 3s
	has payhook_processor plan_cache_mode force_custom_plan
	has payhook_processor statement_timeout 30s
}

runs() {
	equal "$(value "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(100)' AND state = 'active'")" "$1"
}

cancels() {
	psql -X -q -d "$DATABASE_URL" -c 'SELECT pg_sleep(100)' >"$DIR/canceled" 2>&1 &
	local sleeper=$! status=0
	await 10 runs 1
	# A shell's background process ignores SIGINT; psql sets a handler of its own.
	kill -INT "$sleeper"
	wait "$sleeper" || status=$?
	grep 'canceling statement due to user request' "$DIR/canceled"
	await 10 runs 0
}

# refused TEXT - payhook does not start, and prints this.
refused() {
	! "$ROOT/payhook" up -d >"$DIR/up" 2>&1 || { cat "$DIR/up" && return 1; }
	grep -F "$1" "$DIR/up" || { cat "$DIR/up" && return 1; }
}

# pooler_anew MODE [LINE] - for a payhook that is to be started with it.
pooler_anew() {
	"$ROOT/payhook" down >/dev/null
	pooler_stop
	configure "$@"
	pooler_start
}

server_start
configure session
pooler_start
need "payhook migrates and starts behind PgBouncer with the file of docs/pgbouncer.md" starts
check "a webhook is accepted and processed" accepts_and_processes
check "a notification wakes the worker" listens
check "sessions that were given back are used again" sessions_are_used_again
check "the roles have the settings of docs/pgbouncer.md" settings_of_roles
check "a statement can be canceled" cancels
pooler_stop
check "while the pooler is away, a webhook gets 503" equal "$(post t5)" 503
pooler_start
check "when it is back, webhooks are accepted" await 20 accepted t6
check "and processed" await 20 processed t6
pooler_anew session '/^ignore_startup_parameters/d'
check "without ignore_startup_parameters the start fails with the reason" refused 'unsupported startup parameter: options'
pooler_anew transaction
check "in transaction mode the start fails with the reason" \
	refused 'a pooler in transaction mode does not keep them (PgBouncer does from 1.21 on)'
finish
