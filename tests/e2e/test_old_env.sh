#!/bin/bash
# test_old_env.sh - ./payhook up with the .env of the service that payhook replaces, unchanged; prints TAP.
set -euo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/support/tap.sh
source "$ROOT/tests/support/tap.sh"
tap_folder old-env
PORT=$((10000 + $$ % 3000 * 3))
export PAYHOOK_ENV_FILE=$DIR/env PAYHOOK_VAR=$DIR/var PAYHOOK_PORT=$PORT WORKER_METRICS_PORT=$((PORT + 2)) PROCESSOR_DELAY_MS=100
cat >"$PAYHOOK_ENV_FILE" <<-'END'
	DEBUG=True
	SECRET_KEY=django-insecure-)7#x(s&$=^v
	POSTGRES_DB=payments
	POSTGRES_USER=postgres
	POSTGRES_PASSWORD=postgres
	POSTGRES_HOST=db
	POSTGRES_PORT=5432
	CELERY_BROKER_URL=redis://redis:6379/0
END

clean_up() {
	"$ROOT/payhook" down >/dev/null 2>&1 || true
}

comes_up() {
	"$ROOT/payhook" up -d >"$DIR/up" 2>&1 || { cat "$DIR/up" && return 1; }
	equal "$(grep 'have no effect' "$DIR/up")" "payhook: these settings of the replaced service have no effect: DEBUG, SECRET_KEY, CELERY_BROKER_URL, POSTGRES_HOST, POSTGRES_PORT, POSTGRES_DB, POSTGRES_USER, POSTGRES_PASSWORD"
}

answer() {
	curl -s -m 5 --noproxy '*' "http://localhost:$PORT$1" "${@:2}"
}

is_processed() {
	[[ $(answer /v1/transactions/txn_1) == *'"PROCESSED"'* ]]
}

serves() {
	[[ $(answer /) == *'"HEALTHY"'* ]]
	equal "$(answer /v1/webhooks/transactions -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' \
		-d '{"transaction_id":"txn_1","source_account":"a","destination_account":"b","amount":1500,"currency":"INR"}')" 202
	await 10 is_processed
	equal "$("$ROOT/payhook" psql -X -q -At -c 'select transaction_id, amount, status from transactions_transaction;')" 'txn_1|1500|PROCESSED'
}

# No program is the superuser, and no role has the password of that file, or any.
roles_are_payhook_s_own() {
	equal "$("$ROOT/payhook" psql -X -q -At -d "host=$("$ROOT/payhook" status | sed -n 's/^  sockets *//p')/pg user=postgres dbname=postgres" -c "
		SELECT string_agg(DISTINCT usename, ' ' ORDER BY usename), (SELECT count(rolpassword) FROM pg_authid)
		FROM pg_stat_activity WHERE datname = 'payhook' AND backend_type = 'client backend'")" 'payhook_app payhook_console payhook_worker|0'
}

stops() {
	[[ $("$ROOT/payhook" status) == *', ready'* ]]
	"$ROOT/payhook" down
}

need "it starts with a database of its own, and one line names what has no effect" comes_up
check "a webhook is processed, and found under the name of the old table" serves
check "the programs have roles of payhook's own, without a password" roles_are_payhook_s_own
check "the other commands read the same file" stops
finish
