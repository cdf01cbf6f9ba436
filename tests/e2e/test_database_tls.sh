#!/bin/bash
# test_database_tls.sh - a whole payhook with a PostgreSQL that accepts TLS connections only; prints TAP.
set -euo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
# PGHOST, PGOPTIONS and the like must not affect the test.
unset "${!PG@}"
PGBIN=${PAYHOOK_TEST_PGBIN:-/usr/lib/postgresql/15/bin}
# shellcheck source=tests/support/tap.sh
source "$ROOT/tests/support/tap.sh"
tap_folder dbtls
SERVER=
PORT=$((10000 + $$ % 3000 * 3))
DB_PORT=$((PORT + 1))
: >"$DIR/env"
export PAYHOOK_ENV_FILE=$DIR/env PAYHOOK_VAR=$DIR/var PAYHOOK_PORT=$PORT WORKER_METRICS_PORT=$((PORT + 2))
export PROCESSOR_DELAY_MS=100 WORKER_GRACE_MS=200

clean_up() {
	"$ROOT/payhook" down >/dev/null 2>&1 || true
	if [[ -n $SERVER ]]; then
		kill -INT "$SERVER" 2>/dev/null || true
		wait "$SERVER" 2>/dev/null || true
	fi
}

# authority NAME
authority() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 2 -subj "/CN=$1" \
		-keyout "$DIR/$1.key" -out "$DIR/$1.crt" 2>/dev/null
}

# server_certificate AUTHORITY - for the name localhost, and for no address.
server_certificate() {
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -subj /CN=localhost \
		-keyout "$DIR/server.key" -out "$DIR/server.csr" 2>/dev/null
	openssl x509 -req -in "$DIR/server.csr" -CA "$DIR/$1.crt" -CAkey "$DIR/$1.key" -CAcreateserial -days 1 \
		-extfile <(echo subjectAltName=DNS:localhost) -out "$DIR/server.crt" 2>/dev/null
	chmod 600 "$DIR/server.key"
	[[ $EUID -ne 0 ]] || chown postgres: "$DIR/server.key"
}

as_postgres() {
	local -a drop=()
	[[ $EUID -ne 0 ]] || drop=(--reuid=postgres --regid=postgres --init-groups)
	cd "$DIR"
	exec setpriv "${drop[@]}" --pdeathsig INT -- "$@"
}

# The test itself uses the socket; TCP connections must use TLS.
server_start() {
	mkdir -m 755 -- "$DIR/server"
	[[ $EUID -ne 0 ]] || chown postgres: "$DIR/server"
	(as_postgres "$PGBIN/initdb" -D "$DIR/server/data" -U postgres -A trust --no-sync --no-instructions \
		--encoding=UTF8 --locale=C.UTF-8) >"$DIR/log" 2>&1
	printf 'local all all trust\nhostssl all all 127.0.0.1/32 trust\n' >"$DIR/server/data/pg_hba.conf"
	(as_postgres "$PGBIN/postgres" -D "$DIR/server/data" -k "$DIR/server" -p "$DB_PORT" -c listen_addresses=127.0.0.1 -c fsync=off \
		-c ssl=on -c "ssl_cert_file=$DIR/server.crt" -c "ssl_key_file=$DIR/server.key" -c log_connections=on) \
		>>"$DIR/log" 2>&1 &
	SERVER=$!
	await 10 "$PGBIN/pg_isready" -q -h "$DIR/server" -p "$DB_PORT"
	value 'CREATE DATABASE payhook'
}

value() {
	psql -X -q -At -h "$DIR/server" -p "$DB_PORT" -U postgres -d "${2:-postgres}" -c "$1"
}

# url HOST AUTHORITY MODE
url() {
	printf 'postgresql://postgres@%s:%s/payhook?sslmode=%s&sslrootcert=%s' "$1" "$DB_PORT" "$3" "$DIR/$2.crt"
}

# post ID - posts a webhook and prints the status.
post() {
	curl -sS -m 10 --noproxy '*' -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' \
		-d '{"transaction_id":"'"$1"'","source_account":"a","destination_account":"b","amount":1,"currency":"INR"}' \
		"http://localhost:$PORT/v1/webhooks/transactions"
}

up() {
	"$ROOT/payhook" up -d
}

is_processed() {
	equal "$(value "SELECT status FROM payhook.transactions WHERE transaction_id = '$1'" payhook)" PROCESSED
}

accepts_and_processes() {
	equal "$(post t1)" 202
	await 10 is_processed t1
}

# Without the test's own connections, which use the socket.
encrypts_every_connection() {
	local all="FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid) WHERE datname = 'payhook' AND client_addr IS NOT NULL"
	value "SELECT application_name, ssl, version $all" payhook
	equal "$(value "SELECT bool_and(ssl) $all" payhook)" t
	equal "$(value "SELECT count(DISTINCT application_name) >= 2 $all" payhook)" t
	grep -q 'application_name=payhook-migrate SSL enabled' "$DIR/log"
	! grep 'connection authorized: .*database=payhook application_name=payhook' "$DIR/log" | grep -v 'SSL enabled' || return 1
}

# becomes STATUS - waits until webhooks get this status.
becomes() {
	await 10 answered "$1"
}

answered() {
	equal "$(post b)" "$1"
}

certified_by() {
	openssl s_client -starttls postgres -connect "127.0.0.1:$DB_PORT" </dev/null 2>/dev/null | grep "^issuer=CN = $1"
}

# shown_by AUTHORITY - gives the server a certificate of this authority and terminates all connections.
shown_by() {
	server_certificate "$1"
	kill -HUP "$SERVER"
	await 10 certified_by "$1"
	value "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = 'payhook'"
}

believes_no_impostor() {
	shown_by stranger
	becomes 503
	local output
	grep -q '"event":"database unreachable"' "$DIR/var/log/pool.log"
	# The running responders have logged that the connection broke.  The reload reports why there is no other one.
	! output=$("$ROOT/payhook" reload 2>&1) || { echo "it reloads: $output" && return 1; }
	[[ $output == *'certificate verify failed'* ]] || { echo "it prints: $output" && return 1; }
	becomes 503
	equal "$(value "SELECT count(*) FROM pg_stat_activity WHERE datname = 'payhook' AND client_addr IS NOT NULL")" 0
	shown_by authority
	becomes 202
}

# refuses TEXT URL - the migrations fail with this text, and so does the start.
refuses() {
	local output
	! output=$(DATABASE_URL=$2 "$ROOT/schema/migrate" 2>&1) || { echo "it migrates" && return 1; }
	[[ $output == *"$1"* && $output == *"no connection to the database"* ]] || { echo "it prints: $output" && return 1; }
	! output=$(DATABASE_URL=$2 up 2>&1) || { echo "it starts" && return 1; }
	[[ $output == *"$1"* ]] || { echo "it prints: $output" && return 1; }
}

# worker_with USER... - starts payhook anew on a server that identifies clients by their system user and admits these; prints
# the worker's user.
worker_with() {
	"$ROOT/payhook" down >/dev/null
	printf 'local payhook all peer map=test\nlocal all all trust\n' >"$DIR/server/data/pg_hba.conf"
	printf 'test %s postgres\n' root "$@" >"$DIR/server/data/pg_ident.conf"
	kill -HUP "$SERVER"
	DATABASE_URL="host=$DIR/server port=$DB_PORT user=postgres dbname=payhook" up >"$DIR/up.out" || { cat "$DIR/up.out" && return 1; }
	ps -o user:20= -p "$("$ROOT/payhook" status | sed -n 's/^  worker *pid \([0-9]*\) .*/\1/p')"
	await 10 a_worker_is_registered
}

a_worker_is_registered() {
	[[ $(value "SELECT count(*) FROM payhook.workers" payhook) != 0 ]]
}

# Before the worker had a user of its own, a server could admit payhook only.
server_of_one_user() {
	equal "$(worker_with payhook)" payhook
	grep -q 'the worker runs as payhook' "$DIR/up.out"
	equal "$(worker_with payhook payhook-worker)" payhook-worker
	! grep 'the worker runs as payhook' "$DIR/up.out" || return 1
}

authority authority
authority stranger
server_certificate authority
server_start

check "another authority's certificate is refused, with the reason" \
	refuses 'certificate verify failed' "$(url localhost stranger verify-full)"
check "a name that the certificate has not is refused, with the reason" \
	refuses 'does not match host name "127.0.0.1"' "$(url 127.0.0.1 authority verify-full)"
check "without TLS there is no connection" refuses 'no encryption' "$(url localhost authority disable)"
DATABASE_URL=$(url localhost authority verify-full)
export DATABASE_URL
check "it starts with the right name and authority" up
check "a webhook is accepted and processed" accepts_and_processes
check "every connection of the programs and of the migrations is encrypted" encrypts_every_connection
check "a server with another authority's certificate gets nothing: 503, and a reload reports why, until the right one is back" \
	believes_no_impostor
((EUID > 0)) || check "a server that admits the user payhook only has its worker, too" server_of_one_user
finish
