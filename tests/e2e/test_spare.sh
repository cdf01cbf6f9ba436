#!/bin/bash
# test_spare.sh - up to two cores the pool has one busy responder and a spare: killed, frozen and replaced; prints TAP.
set -uo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
unset "${!PG@}" DATABASE_URL "${!POSTGRES_@}"
# shellcheck source=tests/support/tap.sh
source "$ROOT/tests/support/tap.sh"
deadline 160 "$@"
tap_folder spare
PORT=$((10000 + $$ % 3000 * 3))
: >"$DIR/env"
export PAYHOOK_ENV_FILE=$DIR/env PAYHOOK_VAR=$DIR/var PAYHOOK_PORT=$PORT WORKER_METRICS_PORT=$((PORT + 2))
export PROCESSOR_DELAY_MS=10 WORKER_GRACE_MS=200 LOG_LEVEL=debug RESPONDERS=

clean_up() {
	responders_signal CONT
	"$ROOT/payhook" down >/dev/null 2>&1 || true
}

# The process numbers of the pool's responders.
responders() {
	local folder sockets
	sockets=$("$ROOT/payhook" status | sed -n 's/^  sockets *//p')
	for folder in /proc/[0-9]*; do
		[[ $(tr '\0' ' ' <"$folder/cmdline" 2>/dev/null) == './payhook-app --spare ' ]] || continue
		! tr '\0' '\n' <"$folder/environ" 2>/dev/null | grep -qxF "METRICS_FOLDER=$sockets/metrics" || echo "${folder#/proc/}"
	done
}

responders_signal() {
	local pid
	for pid in $(responders); do
		kill -"$1" "$pid" 2>/dev/null || true
	done
}

# answered PREFIX - the responders that answered the webhooks of this prefix, each with their number.
answered() {
	grep -F '"event":"webhook stored"' "$DIR/var/log/pool.log" | grep -F "\"transaction_id\":\"$1-" |
		grep -o '"pid":[0-9]*' | sort | uniq -c | sort -rn | sed 's/^ *//; s/"pid"://'
}

# send PREFIX [COUNT] - all must be accepted, over 8 connections at once.
send() {
	"$ROOT/tests/deploy/send.py" "$PORT" "$1" "${2:-200}" "$DIR/accepted" 8
}

up_on_one_core() {
	local core
	core=$(taskset -cp $$)
	core=${core##*: }
	taskset -c "${core%%[,-]*}" "$ROOT/payhook" up -d
}

two_are_there() {
	[[ $(responders | wc -l) == 2 ]]
}

one_answers_all() {
	send quiet || return
	local lines
	lines=$(answered quiet)
	[[ $(wc -l <<<"$lines") == 1 ]] || { echo "$lines" && return 1; }
	echo "${lines#* }" >"$DIR/busy"
}

# Connections that it had accepted cost nginx a second each; all webhooks are answered, by the spare.
the_spare_answers_for_a_frozen_one() {
	local status=0 lines busy
	busy=$(<"$DIR/busy")
	kill -STOP "$busy"
	send frozen || status=1
	lines=$(answered frozen)
	[[ $(wc -l <<<"$lines") == 1 && ${lines#* } != "$busy" ]] || { echo "$busy was busy: $lines" && status=1; }
	echo "${lines#* }" >"$DIR/busy"
	send calm 50 || status=1
	responders_signal CONT
	return "$status"
}

one_is_idle_again() {
	send thawed || return
	answered thawed
}

the_spare_answers_for_a_killed_one() {
	kill -KILL "$(<"$DIR/busy")"
	send killed && await 10 two_are_there && send later && answered later
}

a_reload_leaves_one_busy() {
	"$ROOT/payhook" reload || return
	await 10 two_are_there && send reloaded || return
	local lines
	lines=$(answered reloaded)
	[[ $(wc -l <<<"$lines") == 1 ]] || { echo "$lines" && return 1; }
}

need "payhook starts on one core" up_on_one_core
check "it has two responders" await 10 two_are_there
check "one of them answers all webhooks" one_answers_all
check "while it is frozen the spare answers" the_spare_answers_for_a_frozen_one
check "thawed, it answers again" one_is_idle_again
check "when the busy one is killed none is refused, and a new spare comes" the_spare_answers_for_a_killed_one
check "after a reload one of the new ones is busy" a_reload_leaves_one_busy
finish
