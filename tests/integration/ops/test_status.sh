#!/bin/bash
# test_status.sh - what "status" shows of the database, and its exit status; prints TAP.
set -euo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../.." && pwd)
CTL=$PAYHOOK_BUILD/ctl/payhook-ctl
# shellcheck source=tests/support/shell_database.sh disable=SC1091
source "$ROOT/tests/support/shell_database.sh"
SCHEMA=yes

# status WANTED [ARG...] - runs it, with this exit status; its output is in $DIR/out, its errors in $DIR/err.
status() {
	local got=0
	# The overview is computed once a second for all.
	value 'DELETE FROM payhook.overview_cache'
	DATABASE_URL=${URL:-$DB} "$CTL" status "${@:2}" >"$DIR/out" 2>"$DIR/err" || got=$?
	expect "the exit status" "$got" "$1"
}

# shows TEXT... - each is in the output, as a part of a line.
shows() {
	local text
	for text in "$@"; do
		grep -qF -- "$text" "$DIR/out" || { echo "\"$text\" is missing: $(<"$DIR/out")" && return 1; }
	done
}

# worker PID PROCESSOR [BEAT [CIRCUIT]] - a worker with its last heartbeat at this time.
worker() {
	value "INSERT INTO payhook.workers (owner, host, pid, version, processor, beat_at, in_flight, circuit_open_since)
		VALUES ($1, 'host-a', $1, '1.2.3', $2, ${3:-now()}, 4, ${4:-NULL})"
}

# park FIRST LAST - jobs that wait for their turn.
park() {
	value "INSERT INTO payhook.parked_jobs (lane, lane_no, source, transaction_id)
		SELECT 1, g, 's', g::text FROM generate_series($1, $2) g"
}

an_idle_payhook_is_ok() {
	worker 7 "'http'"
	status 0
	shows '  health    ok' '  paused    no' '  queue     0 ready, 0 waiting for a retry, 4 claimed, 0 held, 0 parked' \
		'  dead      0 FAILED transactions' '  oldest    no job waits' \
		'  workers   host-a process 7, 1.2.3, http, beat ' ' s ago, 4 in flight, circuit closed' '  processor http' '  version   ' \
		', schema '
	equal "$(grep -c problem "$DIR/out")" 0
	equal "$(<"$DIR/err")" ''
}

without_a_worker_it_is_down() {
	status 3
	shows '  health    down' '  problem   no worker has sent a heartbeat' '  workers   none' '  processor unknown'
}

a_silent_worker_and_an_open_circuit_need_attention() {
	worker 7 "'simulated'"
	worker 8 "'simulated'" "now() - interval '5 minutes'"
	status 1
	shows '  health    attention' 'host-a process 8, 1.2.3, simulated, SILENT: last beat 5 min ago' \
		'  processor simulated: it calls nobody'
	value 'DELETE FROM payhook.workers WHERE pid = 8'
	worker 9 "'http'" 'now()' "now() - interval '3 hours'"
	status 1
	shows 'circuit OPEN since ' ' (3 h ago)' '  processor MIXED'
}

pauses_are_shown() {
	worker 7 "'http'"
	value "SELECT status FROM payhook.console_pause(NULL, 'the processor is down', NULL, NULL)"
	value "SELECT status FROM payhook.console_pause('bank', NULL, NULL, NULL)"
	status 1
	shows '  paused    since ' ' s ago) by postgres: the processor is down' 'the jobs of source bank are paused since '
}

jobs_are_counted_by_their_state() {
	worker 7 "'http'"
	value "INSERT INTO payhook.jobs (transaction_id, owner, claimed_at, run_at, enqueued_at)
		VALUES ('a', NULL, NULL, NULL, now() - interval '3 minutes'), ('b', NULL, NULL, NULL, now()), ('c', 1, now(), NULL, now()),
			('d', NULL, NULL, now(), now()), ('e', NULL, NULL, 'infinity', now())"
	park 1 3
	status 1
	shows "2 ready, 1 waiting for a retry, 4 claimed, 1 held, 3 parked" '  oldest    3 min' 'the oldest job has waited for 18'
}

# A server that counts them all would not answer in time.
a_long_queue_is_counted_up_to_a_bound() {
	worker 7 "'http'"
	value "INSERT INTO payhook.jobs (transaction_id, enqueued_at) SELECT g::text, now() FROM generate_series(1, 200000) g"
	park 1 10002
	status 0
	shows '  queue     10000+ ready, 0 waiting for a retry, 4 claimed, 0 held, 10000+ parked'
}

texts_from_outside_control_no_terminal() {
	worker 7 "'http'"
	value "SELECT status FROM payhook.console_pause(E'b\\u001b[31m\\u202ex', NULL, NULL, NULL)"
	status 1
	shows 'the jobs of source b\x1b[31m\xe2\x80\xaex are paused'
	status 1 --json
	equal "$(LC_ALL=C grep -cP '[\x00-\x09\x0b-\x1f\x7f]' "$DIR/out")" 0
}

json_is_the_console_s_overview() {
	worker 7 "'http'"
	status 0 --json
	equal "$(python3 -c 'import json, sys; o = json.load(sys.stdin); print(o["health"], o["workers"][0]["pid"], sorted(o["queue"])[:3])' \
		<"$DIR/out")" "ok 7 ['capped', 'claimed', 'dead']"
}

a_database_that_does_not_answer_is_down() {
	URL="host=$DIR/none user=postgres dbname=none" status 3
	grep -q 'the database cannot be asked: ' "$DIR/err"
	equal "$(<"$DIR/out")" ''
	status 2 --what
	grep -q 'is no option of this command' "$DIR/err"
}

# The role of people that look has no right to write.
the_operator_s_role_may_ask() {
	worker 7 "'http'"
	value "DO \$\$ BEGIN CREATE ROLE clara LOGIN IN ROLE payhook_operator; CREATE ROLE dora LOGIN IN ROLE payhook_app; END \$\$"
	URL=${DB/user=postgres/user=clara} status 0
	URL=${DB/user=postgres/user=dora} status 3
	grep -q 'connect as the owner of the tables or as a member of payhook_operator' "$DIR/err"
	value 'DROP ROLE clara, dora'
}

run_all an_idle_payhook_is_ok without_a_worker_it_is_down a_silent_worker_and_an_open_circuit_need_attention pauses_are_shown \
	jobs_are_counted_by_their_state a_long_queue_is_counted_up_to_a_bound texts_from_outside_control_no_terminal \
	json_is_the_console_s_overview a_database_that_does_not_answer_is_down the_operator_s_role_may_ask
