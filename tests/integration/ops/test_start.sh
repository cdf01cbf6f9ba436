#!/bin/bash
# test_start.sh - a program that cannot start ends with status 1 and logs which part of it failed; prints TAP.
set -euo pipefail

HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../.." && pwd)
# shellcheck source=tests/support/tap.sh
source "$HERE/tests/support/tap.sh"
deadline 150 "$@"
tap_folder start
SHIM=$PAYHOOK_BUILD/tests/support/libfailing_calls.so
export DATABASE_URL=host=$DIR PROCESSOR=http PROCESSOR_URL=http://127.0.0.1:1/ WORKER_METRICS_PORT=0

# with_socket COMMAND... - runs it with a listening socket as its standard input, as spawn-fcgi does.
with_socket() {
	rm -f "$DIR/socket"
	perl -MSocket -e '
		socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
		bind($s, pack_sockaddr_un(shift)) && listen($s, 1) or die "listen: $!";
		open(STDIN, "<&", $s) or die "stdin: $!";
		exec @ARGV;
	' "$DIR/socket" "$@"
}

# fails CALL REASON COMMAND... - with this call failing, the program ends with status 1 and logs the reason.
fails() {
	local status=0
	with_socket timeout --signal=ABRT 25 env LD_PRELOAD="$SHIM" FAILING_CALL="$1" "${@:3}" >"$DIR/log" 2>&1 || status=$?
	expect "status with $1" "$status" 1 || { cat "$DIR/log" && return 1; }
	grep -qF "cannot start\",\"reason\":\"$2\"" "$DIR/log" || { cat "$DIR/log" && return 1; }
}

responder() {
	fails event_base_new_with_config 'the event loop: Too many open files' "$PAYHOOK_BUILD/app/payhook-app" &&
		fails FCGX_Init 'libfcgi: error 24' "$PAYHOOK_BUILD/app/payhook-app"
}

console() {
	fails event_base_new 'the event loop: Too many open files' "$PAYHOOK_BUILD/console/payhook-console" &&
		fails FCGX_Init 'libfcgi: error 24' "$PAYHOOK_BUILD/console/payhook-console"
}

worker() {
	fails event_base_new 'the event loop: Too many open files' "$PAYHOOK_BUILD/worker/payhook-worker" &&
		fails curl_multi_init "the processor's client cannot start" "$PAYHOOK_BUILD/worker/payhook-worker" &&
		WORKER_METRICS_PORT=9 fails evhttp_new 'the server of the metrics: out of memory' \
			"$PAYHOOK_BUILD/worker/payhook-worker"
}

# names_processor LEVEL PROCESSOR NAME=VALUE... - the worker's line at its start has this level and names this processor.
names_processor() {
	: >"$DIR/log" # the line of the worker before must not be taken for this one's
	env "${@:3}" "$PAYHOOK_BUILD/worker/payhook-worker" >"$DIR/log" 2>&1 &
	local pid=$! status=0
	await 20 grep -q '"event":"worker starts"' "$DIR/log" || status=1
	kill -TERM "$pid"
	wait "$pid" || status=1
	grep '"event":"worker starts"' "$DIR/log" | grep -F "\"level\":\"$1\"" | grep -F "\"processor\":\"$2\"" || status=1
	((status == 0)) || cat "$DIR/log"
	return "$status"
}

warns_of_simulation() {
	names_processor warn simulated PROCESSOR= PROCESSOR_URL= && names_processor info http
}

# refuses STATUS TEXT COMMAND... - it ends with this status and complains with this text.
refuses() {
	local status=0
	"${@:3}" >"$DIR/log" 2>&1 || status=$?
	[[ $status == "$1" ]] || { echo "status $status" && cat "$DIR/log" && return 1; }
	grep -qF -- "$2" "$DIR/log" || { cat "$DIR/log" && return 1; }
}

# The worker does not know the sources, so the responders refuse what they cannot send.
refuses_originals_that_it_cannot_send() {
	local app=$PAYHOOK_BUILD/app/payhook-app program
	export PROCESSOR_BODY=original
	for program in "$app" "$PAYHOOK_BUILD/worker/payhook-worker"; do
		PAYLOADS_KEEP_DAYS=0 refuses 2 'PROCESSOR_BODY=original: with PAYLOADS_KEEP_DAYS=0 no request' "$program" --check || return 1
	done
	SOURCES_FILE=$HERE/docs/sources/adyen/sources.json refuses 2 'PROCESSOR_BODY=original: the source adyen has items' \
		"$app" --check || return 1
	SOURCES_FILE=$HERE/docs/sources/mercado-pago/sources.json refuses 2 \
		'PROCESSOR_BODY=original: the source mercado-pago has no {body} in signed' "$app" --check || return 1
	SOURCES_FILE=$HERE/docs/sources/stripe/sources.json refuses 0 PROCESSOR_BODY=original "$app" --check
}

# The files of the http processor: each error has the setting and the line, and no value.
refuses_files_that_are_wrong() {
	local worker=$PAYHOOK_BUILD/worker/payhook-worker
	printf 'X-Tenant: north\nHost: hunter2\n' >"$DIR/headers"
	: >"$DIR/empty"
	PROCESSOR_HEADERS=$DIR/headers refuses 2 "PROCESSOR_HEADERS=$DIR/headers: line 2: Host cannot be set here" "$worker" --check &&
		PROCESSOR_HEADERS=$DIR/none refuses 2 "PROCESSOR_HEADERS=$DIR/none: it cannot be opened" "$worker" &&
		PROCESSOR_SIGNING_SECRETS_FILE=$DIR/empty refuses 2 "PROCESSOR_SIGNING_SECRETS_FILE=$DIR/empty: it has no secret" \
			"$worker" --check &&
		PROCESSOR_CA=$DIR/headers refuses 2 "PROCESSOR_CA=$DIR/headers: it has no certificate in PEM" "$worker" --check &&
		PROCESSOR_CLIENT_KEY=$DIR/empty refuses 2 "without PROCESSOR_CLIENT_CERTIFICATE" "$worker" --check || return 1
	! grep -F hunter2 "$DIR/log" || return 1
	printf 'Authorization: Bearer {file:token}\n' >"$DIR/headers"
	printf 'hunter2\n' >"$DIR/token"
	PROCESSOR_HEADERS=$DIR/headers refuses 0 'header Authorization: (set)' "$worker" --check || return 1
	! grep -F hunter2 "$DIR/log"
}

check "files of the http processor that are wrong are refused at the start" refuses_files_that_are_wrong
check "a worker names its processor when it starts, and warns if that is the simulated one" warns_of_simulation
check "original bodies that cannot be sent are refused at the start" refuses_originals_that_it_cannot_send
check "a responder that cannot start names the part that failed" responder
check "a console that cannot start names the part that failed" console
check "a worker that cannot start names the part that failed" worker
finish
