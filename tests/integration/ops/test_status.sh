#!/bin/bash
# test_status.sh - what ./payhook status shows of the queue; prints TAP.
set -euo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../.." && pwd)
# shellcheck source=tests/support/shell_database.sh disable=SC1091
source "$ROOT/tests/support/shell_database.sh"
SCHEMA=yes

# shows EXPECTED - the queue's line.
shows() {
	local shown
	shown=$(
		export CONNINFO=$DB
		# shellcheck source=ops/commands.sh disable=SC1091
		source "$ROOT/ops/commands.sh"
		queue_depth
	)
	expect "the queue" "$shown" "$1"
}

# park FIRST LAST - jobs that wait for their turn.
park() {
	value "INSERT INTO payhook.parked_jobs (lane, lane_no, source, transaction_id)
		SELECT 1, g, 's', g::text FROM generate_series($1, $2) g"
}

an_empty_queue_has_nothing() {
	shows "0 ready, 0 waiting for a retry, 0 claimed, 0 held, 0 parked"
}

jobs_are_counted_by_their_state() {
	value "INSERT INTO payhook.jobs (transaction_id, owner, claimed_at, run_at)
		VALUES ('a', NULL, NULL, NULL), ('b', NULL, NULL, NULL), ('c', 1, now(), NULL), ('d', NULL, NULL, now()),
			('e', NULL, NULL, 'infinity')"
	park 1 3
	shows "2 ready, 1 waiting for a retry, 1 claimed, 1 held, 3 parked"
}

a_million_parked_jobs_are_not_counted() {
	park 1 10000
	shows "0 ready, 0 waiting for a retry, 0 claimed, 0 held, 10000 parked"
	park 10001 10002
	shows "0 ready, 0 waiting for a retry, 0 claimed, 0 held, more than 10000 parked"
}

run_all an_empty_queue_has_nothing jobs_are_counted_by_their_state a_million_parked_jobs_are_not_counted
