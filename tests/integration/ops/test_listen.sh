#!/bin/bash
# test_listen.sh - payhook-ctl listen, with a database and a program that it posts to; prints TAP.
set -euo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../.." && pwd)
CTL=$PAYHOOK_BUILD/ctl/payhook-ctl
# shellcheck source=tests/support/shell_database.sh
source "$ROOT/tests/support/shell_database.sh"
SCHEMA=yes
EXAMPLE=$ROOT/docs/sources/stripe/sources.json

# transaction ID [SOURCE [TIME]]
transaction() {
	value "INSERT INTO payhook.transactions (transaction_id, source, source_account, destination_account, amount, currency,
			kind, payment_id, created_at)
		VALUES ('$1', '${2:-stripe}', 'a', 'b', 1500.10, 'EUR', 'captured', 'pi_1', '${3:-now()}'); NOTIFY jobs"
}

# listens ARGUMENT... - until finished; its outputs are in $DIR/out and $DIR/err.
listens() {
	: >"$DIR/out"
	: >"$DIR/err"
	DATABASE_URL=$DB SOURCES_FILE=$EXAMPLE "$CTL" listen "$@" >"$DIR/out" 2>"$DIR/err" &
	LISTENER=$!
	trap 'kill "$LISTENER" 2>/dev/null || true' EXIT
	awaits err 'listening; Ctrl-C stops it'
}

# awaits FILE TEXT - until the output has it.
awaits() {
	await 10 grep -qF -- "$2" "$DIR/$1" || { cat -- "$DIR/out" "$DIR/err" && return 1; }
}

# refuses TEXT ARGUMENT... - the command ends at once, with status 2 and this error.
refuses() {
	local status=0
	DATABASE_URL=$DB SOURCES_FILE=$EXAMPLE timeout 10 "$CTL" listen "${@:2}" >"$DIR/out" 2>"$DIR/err" || status=$?
	equal "$status" 2
	grep -qF -- "$1" "$DIR/err" || { echo "\"$1\" is missing: $(<"$DIR/err")" && return 1; }
	[[ ! -s $DIR/out ]]
}

ids() {
	cut -d' ' -f3 "$DIR/out" | sort | tr '\n' ' '
}

events_are_shown_as_they_come() {
	transaction before
	listens
	transaction evt_1
	awaits out evt_1
	value "INSERT INTO payhook.transactions (transaction_id, source) VALUES (E'evt\u001b[2J', 'other'); NOTIFY jobs"
	awaits out other
	grep -qE '^2[0-9-]{9}T[0-9:.]{15}Z stripe evt_1 captured 1500\.10 EUR pi_1$' "$DIR/out"
	grep -qE ' other evt\?\[2J - - - -$' "$DIR/out"
	equal "$(wc -l <"$DIR/out")" 2
}

a_notification_is_not_needed() {
	listens
	value "INSERT INTO payhook.transactions (transaction_id, source) VALUES ('quiet', 'other')"
	awaits out quiet
}

# The times of both zones name one moment; the events of that microsecond count.
since_takes_any_zone_and_repeats_nothing() {
	local time
	transaction early stripe '2026-02-19T11:59:59.999999Z'
	transaction at stripe '2026-02-19T12:00:00Z'
	transaction late stripe '2026-02-19T12:00:01Z'
	for time in 2026-02-19T12:00:00Z 2026-02-19T17:30:00+05:30 2026-02-19T07:00:00.000-05:00 1771502400; do
		listens --since "$time"
		transaction "last-$RANDOM$RANDOM"
		awaits out last-
		# Another round, which reads the last seconds again.
		awaits_round
		equal "$(ids | tr ' ' '\n' | grep -v last- | xargs)" 'at late'
		equal "$(ids | tr ' ' '\n' | sort | uniq -d)" ''
		kill "$LISTENER"
		value "DELETE FROM payhook.transactions WHERE transaction_id LIKE 'last-%'"
	done
}

# awaits_round - until an event that is put behind the newest is shown.
awaits_round() {
	transaction behind stripe "$(value "SELECT max(created_at) - interval '3 s' FROM payhook.transactions")"
	awaits out behind
	value "DELETE FROM payhook.transactions WHERE transaction_id = 'behind'"
	sed -i '/ behind /d' "$DIR/out"
}

# Its transaction began before that of an event that is shown already.
a_late_commit_is_shown() {
	listens --since "$(date +%s --date '1 minute ago')"
	transaction first
	awaits out first
	transaction late stripe "$(value "SELECT now() - interval '4 s'")"
	awaits out late
	equal "$(ids)" 'first late '
}

many_events_come_in_batches() {
	value "INSERT INTO payhook.transactions (transaction_id, source, created_at)
		SELECT n::text, 'other', timestamptz '2026-02-19T12:00:00Z' + (n / 700) * interval '1 s' FROM generate_series(1, 3000) n"
	listens --since 2026-02-19T12:00:00Z
	awaits out ' 3000 '
	equal "$(ids | tr ' ' '\n' | grep -c .)" 3000
	equal "$(ids | tr ' ' '\n' | sort | uniq -d)" ''
}

one_source_may_be_wanted() {
	listens --source stripe
	transaction other-1 other
	transaction evt_1 stripe
	awaits out evt_1
	equal "$(ids)" 'evt_1 '
}

# The program answers 200, 500, and then not at all.
events_are_posted_to_a_program() {
	python3 -B - "$DIR" <<-'END' &
		import http.server, pathlib, sys
		folder = pathlib.Path(sys.argv[1])
		class Program(http.server.BaseHTTPRequestHandler):
		    def do_POST(self):
		        body = self.rfile.read(int(self.headers['Content-Length'])).decode()
		        with open(folder / 'posted', 'a') as posted:
		            posted.write(f'{self.headers["Idempotency-Key"]} {self.headers["Content-Type"]} {body}\n')
		        self.send_response(200 if 'evt_1' in body else 500)
		        self.end_headers()
		    def log_message(self, *arguments):
		        pass
		server = http.server.HTTPServer(('127.0.0.1', 0), Program)
		(folder / 'port').write_text(f'{server.server_port}\n')
		server.handle_request()
		server.handle_request()
	END
	await 10 test -s "$DIR/port"
	listens --to "http://127.0.0.1:$(<"$DIR/port")/hook" --json
	transaction evt_1
	awaits err "evt_1: http://127.0.0.1:$(<"$DIR/port")/hook answers 200"
	transaction 'a/b c' transactions
	awaits err "a/b c: http://127.0.0.1:$(<"$DIR/port")/hook answers 500"
	transaction evt_3
	awaits err 'evt_3: there is no answer from http://127.0.0.1:'
	grep -qF 'stripe/evt_1 application/json {"transaction_id" : "evt_1"' "$DIR/posted"
	grep -qF 'a%2Fb%20c application/json ' "$DIR/posted"
	equal "$(head -n 1 "$DIR/out" | jq_like amount)" 1500.10
	equal "$(wc -l <"$DIR/out")" 3
}

# jq_like MEMBER - as it is written.
jq_like() {
	python3 -c 'import json, sys; print(json.load(sys.stdin, parse_float=str)[sys.argv[1]])' "$1"
}

is_counted() {
	[[ $(value "SELECT idx_scan > 0 OR seq_scan > 0 FROM pg_stat_user_tables WHERE relname = 'transactions'") == t ]]
}

# Without statistics of the table too: each round is a scan of the index, so the whole table is never read for the last events.
a_round_reads_no_whole_table() {
	value "INSERT INTO payhook.transactions (transaction_id, source, created_at)
		SELECT 'old-' || i, 'stripe', now() - interval '1 day' FROM generate_series(1, 20000) i"
	listens
	transaction evt_1
	awaits out evt_1
	kill "$LISTENER"
	wait "$LISTENER" || true
	# The server's process counts when it ends.
	await 10 is_counted
	equal "$(value "SELECT idx_scan > 0, seq_scan FROM pg_stat_user_tables WHERE relname = 'transactions'")" "t|0"
}

mistakes_are_reported_at_once() {
	refuses '--source nobody: no source has this name; there are: stripe transactions' --source nobody
	refuses '--since yesterday: no time as' --since yesterday
	refuses '--since 2026-02-19T12:00:00: no time as' --since 2026-02-19T12:00:00
	refuses '--to ftp://127.0.0.1/: ' --to ftp://127.0.0.1/
	refuses '--to localhost:3000: ' --to localhost:3000
	refuses 'usage: listen' --to
	refuses 'usage: listen' evt_1
	if DB=postgresql://127.0.0.1:1/none DATABASE_URL=postgresql://127.0.0.1:1/none timeout 30 "$CTL" listen 2>"$DIR/err"; then
		return 1
	fi
	grep -qF 'the database cannot be asked: ' "$DIR/err"
}

run_all events_are_shown_as_they_come a_notification_is_not_needed since_takes_any_zone_and_repeats_nothing a_late_commit_is_shown \
	many_events_come_in_batches one_source_may_be_wanted events_are_posted_to_a_program \
	a_round_reads_no_whole_table mistakes_are_reported_at_once
