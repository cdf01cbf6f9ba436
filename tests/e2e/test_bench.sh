#!/bin/bash
# test_bench.sh - runs ./payhook bench with one cheap row and checks its output, files and cleanup; prints TAP.  The
# figures are not checked, since the machine has other work.
set -euo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/support/tap.sh
source "$ROOT/tests/support/tap.sh"
tap_folder bench
: >"$DIR/env"
export PAYHOOK_VAR=$DIR/var PAYHOOK_ENV_FILE=$DIR/env

bench() {
	"$ROOT/payhook" bench "$@"
}

refuses_what_it_does_not_know() {
	local status=0
	bench --list | grep -q '^  get ' || return 1
	bench nonsense || status=$?
	((status == 2))
}

measures() {
	bench --quick get >"$DIR/out" 2>&1
}

prints_a_table() {
	grep -Eq '^ +median +target +each round$' "$DIR/out" &&
		grep -Eq '^get   \(processor: load [0-9]+ %, others [0-9.]+ % at most\)' "$DIR/out" &&
		grep -Eq '^  GET / F +[0-9.]+ x +at least 0\.700 +(met|MISSED)' "$DIR/out" &&
		grep -Eq '^[01] of 1 targets are met\.$' "$DIR/out"
}

# Searches for processes started from any directory that the output names.
leaves_nothing() {
	local folder
	local -a folders
	mapfile -t folders < <(grep -o '/var/tmp/payhook-bench-[A-Za-z0-9]*' "$DIR/out" | sort -u)
	((${#folders[@]} > 0)) || return 1
	for folder in "${folders[@]}"; do
		echo "looking for what is left of $folder"
		[[ ! -e $folder ]] || return 1
		! pgrep -af "$folder" || return 1
	done
}

writes_figures() {
	python3 - "$DIR/var/bench" <<-'END'
		import json, sys, xml.dom.minidom
		folder = sys.argv[1]
		got = json.load(open(folder + '/figures.json'))
		assert got['quick'] is True and got['machine']['cores'] > 0 and got['machine']['fdatasync_us'] > 0
		assert ' fsync=on' in got['machine']['postgresql']
		assert len(got['figures']) == 3 and all(f['row'] == 'get' and len(f['rounds']) == 1 for f in got['figures'])
		row, = got['rows']
		assert row['row'] == 'get' and row['failure'] == '' and 0 < row['load'][0] < 1, row
		assert len(row['foreign']) == len(row['stolen']) == 1, row
		target, = [f for f in got['figures'] if 'met' in f]
		assert target['at_least'] == 0.7 and target['met'] == (target['median'] >= 0.7)
		for name in 'rates.svg', 'targets.svg':
		    xml.dom.minidom.parse(folder + '/' + name)
	END
}

# begin ROW... - in the background; returns while the row get stores transactions.
begin() {
	: >"$DIR/out" # what the check before left there must not be taken for this one's
	bench --quick "$@" >"$DIR/out" 2>&1 &
	PID=$!
	await 60 grep -q 'storing' "$DIR/out"
}

# ends STATUS
ends() {
	local status=0
	wait "$PID" || status=$?
	echo "status $status"
	[[ $status == "$1" ]]
}

# Its instance loses PostgreSQL.  The next row gets a new one.
reports_a_row_that_fails() {
	begin get duplicates || return 1
	kill -KILL "$(head -n 1 "$(grep -o '/var/tmp/payhook-bench-[A-Za-z0-9]*' "$DIR/out" | head -n 1)/state/pg/postmaster.pid")"
	ends 1 && grep -Eq '^  FAILED in round 1: .+' "$DIR/out" && grep -Eq '^  all duplicates / unique +[0-9.]+ x' "$DIR/out" &&
		grep -q '^payhook-bench: 1 of 2 rows failed' "$DIR/out"
}

# What there is by then is in the table.
ends_when_interrupted() {
	begin get || return 1
	# The only child of the shell that waits for it.
	kill -INT "$(pgrep -P "$PID" payhook-bench)"
	ends 130 && grep -q '^  FAILED in round 1: the bench was asked to stop' "$DIR/out"
}

check "refuses what it does not know" refuses_what_it_does_not_know
check "measures" measures
check "prints a table with each figure, its target, and whether it is met" prints_a_table
check "leaves no process and no folder" leaves_nothing
check "writes figures as JSON, and plots" writes_figures
check "reports a row that fails, and measures the next one" reports_a_row_that_fails
check "leaves nothing then" leaves_nothing
check "ends when it is interrupted" ends_when_interrupted
check "leaves nothing then, either" leaves_nothing
finish
