#!/bin/bash
# test_console_cli.sh - the operator's commands on a running payhook: what failed is found, read, retried and processed; prints TAP.
set -euo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/support/tap.sh
source "$ROOT/tests/support/tap.sh"
deadline 320 "$@"
tap_folder console-cli
PORT=$((16000 + $$ % 2000 * 3))
SERVER=
: >"$DIR/env"
: >"$DIR/broken"
cat >"$DIR/processor.py" <<-'END'
	import http.server, os, sys

	class Handler(http.server.BaseHTTPRequestHandler):
	    protocol_version = 'HTTP/1.1'

	    def do_POST(self):
	        self.rfile.read(int(self.headers['Content-Length']))
	        self.send_response(422 if os.path.exists(sys.argv[1] + '/broken') else 200)
	        self.send_header('Content-Length', '0')
	        self.end_headers()

	    def log_message(self, *_):
	        pass

	class Server(http.server.ThreadingHTTPServer):
	    request_queue_size = 1024  # a connection that finds no room there is a failed call

	server = Server(('127.0.0.1', 0), Handler)
	with open(sys.argv[1] + '/port.new', 'w') as file:
	    file.write(str(server.server_port))
	os.rename(sys.argv[1] + '/port.new', sys.argv[1] + '/port')
	server.serve_forever()
END

clean_up() {
	"$ROOT/payhook" down >/dev/null 2>&1 || true
	[[ -z $SERVER ]] || kill "$SERVER" 2>/dev/null || true
}

# payhook STATUS ARGUMENT... - the command ends with this status; its outputs are in $DIR/out.
payhook() {
	local status=0
	"$ROOT/payhook" "${@:2}" >"$DIR/out" 2>&1 </dev/null || status=$?
	expect "payhook ${*:2}" "$status" "$1" || { cat "$DIR/out" && return 1; }
}

prints() {
	local text
	for text in "$@"; do
		grep -qF -- "$text" "$DIR/out" || { echo "\"$text\" is missing: $(<"$DIR/out")" && return 1; }
	done
}

send() {
	local id
	for id; do
		equal "$(curl -s -m 5 --noproxy '*' -o "$DIR/answer" -w '%{http_code}' "http://localhost:$PORT/v1/webhooks/transactions" \
			-H 'Content-Type: application/json' \
			-d "{\"transaction_id\":\"$id\",\"source_account\":\"acc_a\",\"destination_account\":\"acc_b\",\"amount\":1500,\"currency\":\"INR\"}")" 202
	done
}

# are COUNT STATUS - so many transactions have this status.
are() {
	equal "$("$ROOT/payhook" psql -X -q -At -c "SELECT count(*) FROM transactions WHERE status = '$2'")" "$1"
}

comes_up() {
	"$ROOT/payhook" up -d >"$DIR/up" 2>&1 || { cat "$DIR/up" && return 1; }
	payhook 0 status
	prints ', ready' '  health    ok' '  paused    no' '  queue     0 ready' '  dead      0 ' '  oldest    no job waits' \
		'in flight, circuit closed' '  processor http' '  version   ' '  data      '
}

what_fails_needs_attention() {
	send t1 t2 t3 t4 t5
	await 20 are 5 FAILED
	# The overview is renewed once a second.
	await 5 payhook 1 status
	prints ', ready' '  health    attention' '  problem   5 transactions are FAILED' '  dead      5 '
	payhook 1 status --json
	equal "$(python3 -c 'import json, sys; o = json.load(sys.stdin); print(o["health"], o["queue"]["dead"])' <"$DIR/out")" 'attention 5'
}

# On a full disk a part of a list is not the list.
what_is_wrong_or_missing_is_said() {
	local status=0
	payhook 0 retry --operations
	prints 'no operation is on record'
	payhook 0 ls no_such_id
	equal "$(<"$DIR/out")" 'payhook-ctl: no transaction matches'
	payhook 0 ls --status FAILED --error 'no such error'
	equal "$(<"$DIR/out")" 'payhook-ctl: no transaction matches'
	payhook 0 ls --currency JPY
	prints 'those of the last 24 hours are searched'
	payhook 2 status --json x
	prints 'status takes --json or nothing, not: --json x'
	"$ROOT/payhook" ls >/dev/full 2>"$DIR/out" || status=$?
	expect 'payhook ls to a full disk' "$status" 1
	prints 'the output could not be written'
}

it_is_found_and_read() {
	payhook 0 ls --status FAILED
	prints t1 t2 t3 t4 t5 'FAILED'
	payhook 0 ls --error 422 --limit 2
	prints 'there is more: the same command with --cursor'
	payhook 0 show t1
	prints '  status    FAILED' 'attempts: 1' 'given up' '422'
	payhook 0 sources
	prints transactions
}

one_is_retried_and_processed() {
	rm "$DIR/broken"
	payhook 0 retry t1 --reason 'the processor is repaired'
	prints 't1 of source transactions is PROCESSING again'
	await 20 are 1 PROCESSED
	payhook 0 retry t1 --even-processed --reason 'once more'
	await 20 are 1 PROCESSED
	payhook 0 actions --id t1
	prints 'the processor is repaired' 'once more' retry_processed
}

# With so many the operation lasts minutes.
an_operation_is_canceled() {
	"$ROOT/payhook" psql -X -q -c "
		INSERT INTO transactions (transaction_id, source, source_account, destination_account, amount, currency, status, failure)
		SELECT 'more_' || g, 'transactions', 'acc_a', 'acc_b', 1500, 'INR', 'FAILED', 'HTTP 422' FROM generate_series(1, 200) g;
		INSERT INTO dead_jobs (transaction_id, source, attempts, error, enqueued_at)
		SELECT 'more_' || g, 'transactions', 1, 'HTTP 422', now() FROM generate_series(1, 200) g" >/dev/null
	payhook 0 retry --source transactions --yes --reason 'too early' --rate 1 --background
	prints '204 transactions will be retried, 1 a second' '"retry --cancel 1" cancels it'
	payhook 0 retry --cancel 1
	prints 'operation 1 is canceled: '
}

the_rest_is_retried_with_progress() {
	payhook 0 retry --error 422
	prints 'FAILED transactions match' 'Nothing was changed'
	payhook 0 retry --error 422 --yes --reason 'the processor is repaired'
	prints '(100 %)' 'done: ' 'passed over'
	await 60 are 205 PROCESSED
	await 5 payhook 0 status
	prints '  health    ok'
}

pauses_are_shown_and_what_does_not_run_is_down() {
	"$ROOT/payhook" psql -X -q -c 'SELECT pause()' >/dev/null
	await 5 payhook 1 status
	prints '  paused    since ' ' by payhook'
	"$ROOT/payhook" psql -X -q -c 'SELECT resume()' >/dev/null
	"$ROOT/payhook" down
	payhook 3 status
	prints 'not running'
	payhook 3 status --json
	payhook 1 ls
	prints 'the database does not run'
}

python3 "$DIR/processor.py" "$DIR" &
SERVER=$!
await 20 test -s "$DIR/port" >/dev/null
export PAYHOOK_ENV_FILE=$DIR/env PAYHOOK_VAR=$DIR/var PAYHOOK_PORT=$PORT WORKER_METRICS_PORT=$((PORT + 2)) PROCESSOR=http \
	OPEN_SOURCE_FROM=all MAX_ATTEMPTS=1 CIRCUIT_FAILURES=0 WORKER_GRACE_MS=200
PROCESSOR_URL=http://127.0.0.1:$(<"$DIR/port")/
export PROCESSOR_URL
need "a payhook that runs is ok" comes_up
check "what fails needs attention, by the exit status and in JSON" what_fails_needs_attention
check "an empty list, a wrong argument and a full disk are not silent" what_is_wrong_or_missing_is_said
check "it is found, and its story is read" it_is_found_and_read
check "one is retried and processed, and once more on purpose" one_is_retried_and_processed
check "an operation is canceled" an_operation_is_canceled
check "the rest is retried with progress" the_rest_is_retried_with_progress
check "a pause is shown, and what does not run is down" pauses_are_shown_and_what_does_not_run_is_down
finish
