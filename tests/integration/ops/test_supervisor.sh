#!/bin/bash
# test_supervisor.sh - the supervisor alone, with small plans: terminals that do not read, signals, failing starts; and the
# commands that speak with it.  Prints TAP.
set -euo pipefail

HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../.." && pwd)
# shellcheck source=tests/support/tap.sh
source "$HERE/tests/support/tap.sh"
deadline 120 "$@"
tap_folder supervisor
SUPERVISOR=$PAYHOOK_BUILD/supervisor/payhook
export TZ=XXX-5:30 PAYHOOK_VAR=$DIR/var PAYHOOK_ENV_FILE=/dev/null
: >"$DIR/pids"

# Where an instance with this data folder has its sockets and records.
run=$PAYHOOK_VAR/run
if [[ $EUID -eq 0 ]]; then
	hash=$(printf '%s' "$PAYHOOK_VAR" | sha256sum)
	run=/run/payhook-up/${hash:0:12}
fi

clean_up() {
	local -a left
	mapfile -t left <"$DIR/pids"
	[[ ${#left[@]} -eq 0 ]] || kill -KILL "${left[@]}" 2>/dev/null || true
	: >"$DIR/pids"
	rm -rf -- "$run"
	! [[ -s $DIR/run/payhook.pid ]] || kill -KILL "$(cut -d ' ' -f 1 "$DIR/run/payhook.pid")" 2>/dev/null || true
}

# fresh WORD... - new folders, and the plan of these words.  A part called "alive" runs until it is asked to end.
ALIVE=(part alive -- sleep 1000 ';')
fresh() {
	clean_up
	rm -rf -- "$DIR/run" "$DIR/log"
	mkdir -m 777 -- "$DIR/run" "$DIR/log"
	printf '%s\0' "$@" >"$DIR/plan"
}

# begin - starts the supervisor in the background; its pid is in $pid.
begin() {
	"$SUPERVISOR" "$DIR/run" "$DIR/log" <"$DIR/plan" >"$DIR/out" &
	pid=$!
	echo "$pid" >>"$DIR/pids"
}

# ends STATUS - waits for its end.
ends() {
	local status=0
	wait "$pid" || status=$?
	expect "status of the supervisor" "$status" "$1"
}

logged() {
	await 10 grep -qF -- "$1" "$DIR/log/payhook.log"
}

closed_descriptors() {
	fresh step greets -- echo hello ';' "${ALIVE[@]}"
	"$SUPERVISOR" "$DIR/run" "$DIR/log" <"$DIR/plan" >&- 2>&- &
	pid=$!
	await 10 test -s "$DIR/run/alive.pid"
	kill -TERM "$pid"
	ends 0
	equal "$(grep -c . "$DIR/log/payhook.log")" 2
	equal "$(grep -vc '^2.*Z ' "$DIR/log/payhook.log")" 0
}

# What the part writes arrives in its log although nothing reads from the terminal.
unread_terminal() {
	# shellcheck disable=SC2016
	fresh part writes -- sh -c 'yes "$(printf %05000d 0)" | head -n 400; echo end; exec sleep 1000' ';'
	python3 - "$SUPERVISOR" "$DIR" <<-'PYTHON'
		import os, subprocess, sys, time
		program, folder = sys.argv[1:]
		def has_end():
		    try:
		        return open(folder + '/log/writes.log').read().endswith('end\n')
		    except FileNotFoundError:
		        return False
		_, terminal = os.openpty()
		supervisor = subprocess.Popen([program, folder + '/run', folder + '/log'], stdin=open(folder + '/plan'), stdout=terminal)
		until = time.monotonic() + 10
		while not has_end() and time.monotonic() < until:
		    time.sleep(0.05)
		supervisor.terminate()
		try:
		    supervisor.wait(10)
		except subprocess.TimeoutExpired:
		    supervisor.kill()
		sys.exit(not has_end())
	PYTHON
}

# What a client has put into nginx's log, and what of it a terminal may get.
HOSTILE='\033]0;OWNED\007\033[2J\0302\0233 \0233 a\tb \0303\0251\r\0177\033!'
SHOWN=$(printf '?]0;OWNED??[2J? ? a\tb \303\251???!')

# shows_no_control FILE - it has the text, and no byte of it that controls a terminal.
shows_no_control() {
	tr -d '\n\t' <"$1" >"$DIR/shown"
	equal "$(LC_ALL=C grep -cP '[\x00-\x1f\x7f]|\xc2[\x80-\x9f]|[^\xc3]\x9b' "$DIR/shown")" 0
	grep -q 'OWNED' "$1" && grep -q $'a\tb \303\251' "$1"
}

lines_for_the_terminal() {
	fresh part nginx -- sh -c "printf '%b\n' '$HOSTILE'; printf 'zero\0hides nothing\n'; exec sleep 1000" ';'
	begin
	await 10 grep -q 'nothing' "$DIR/out"
	kill -TERM "$pid"
	ends 0
	cp "$DIR/out" "$DIR/foreground"
	shows_no_control "$DIR/foreground"
	grep -qxF "nginx    | $SHOWN" "$DIR/foreground"
	grep -qxF 'nginx    | zero?hides nothing' "$DIR/foreground"
	LC_ALL=C grep -q $'\033' "$DIR/log/nginx.log"
}

lines_of_logs() {
	mkdir -p -- "$PAYHOOK_VAR/log"
	printf '%b\n' "$HOSTILE" >"$PAYHOOK_VAR/log/nginx.log"
	"$HERE/payhook" logs >"$DIR/logs.out"
	shows_no_control "$DIR/logs.out"
	equal "$(<"$DIR/logs.out")" "nginx    | $SHOWN"
	timeout 30 "$HERE/payhook" logs -f nginx >"$DIR/logs.out" &
	pid=$!
	echo "$pid" >>"$DIR/pids"
	await 10 grep -q OWNED "$DIR/logs.out"
	printf 'later\033[2J\n' >>"$PAYHOOK_VAR/log/nginx.log"
	await 10 grep -qxF 'nginx    | later?[2J' "$DIR/logs.out"
	kill -TERM "$pid"
	shows_no_control "$DIR/logs.out"
}

end_of_a_log() {
	local status=0
	mkdir -p -- "$DIR/log"
	printf '%b\n' "$HOSTILE" >"$DIR/log/nginx.log"
	# shellcheck disable=SC2016
	env HERE="$HERE" STATE="$DIR" bash -c '
		source "$HERE/ops/settings.sh"
		source "$HERE/ops/up.sh"
		part_failed nginx "it does not stay up"' 2>"$DIR/failed.out" || status=$?
	equal "$status" 1
	shows_no_control "$DIR/failed.out"
	grep -qxF "$SHOWN" "$DIR/failed.out"
}

# As after "nohup ./payhook up &".
ignored_hangup() {
	fresh "${ALIVE[@]}"
	trap '' HUP
	begin
	await 10 test -s "$DIR/run/alive.pid"
	kill -HUP "$pid"
	kill -KILL "$(cut -d ' ' -f 1 "$DIR/run/alive.pid")"
	await 10 grep -q '^[0-9]* [0-9]* 1 ' "$DIR/run/alive.pid"
	kill -TERM "$pid"
	ends 0
}

hangup() {
	fresh "${ALIVE[@]}"
	begin
	await 10 test -s "$DIR/run/alive.pid"
	kill -HUP "$pid"
	ends 0
}

no_process_to_be_had() {
	fresh step first -- true ';'
	chmod 666 "$DIR/plan"
	# A sanitizer's search for leaks needs a process of its own.
	ASAN_OPTIONS="${ASAN_OPTIONS-}:detect_leaks=0" setpriv --reuid=nobody --clear-groups prlimit --nproc=0 "$SUPERVISOR" "$DIR/run" "$DIR/log" <"$DIR/plan" &
	pid=$!
	(sleep 10 && kill -KILL "$pid") &
	local killer=$!
	ends 1
	kill "$killer"
}

killed_step() {
	fresh step first -- sh -c 'kill -KILL $$' ';'
	begin
	ends 1
	logged 'first ended (killed by SIGKILL)'
}

# As after "./payhook up -d | head -n 1": the reader of the messages has gone.
step_without_reader() {
	mkfifo "$DIR/terminal"
	exec 5<>"$DIR/terminal"
	# shellcheck disable=SC2016
	fresh step first -- env HERE="$HERE" RUN="$DIR/run" STATE="$DIR" bash -c '
		source "$HERE/ops/settings.sh"
		source "$HERE/ops/records.sh"
		source "$HERE/ops/up.sh"
		until [[ -e $RUN/reader-gone ]]; do nap; done
		step_begin
		info hello
		exit 0' ';' "${ALIVE[@]}"
	"$SUPERVISOR" "$DIR/run" "$DIR/log" <"$DIR/plan" >"$DIR/terminal" 5<&- &
	pid=$!
	await 10 test -s "$DIR/run/payhook.pid"
	exec 5<&-
	: >"$DIR/run/reader-gone"
	await 10 test -s "$DIR/run/alive.pid"
	kill -TERM "$pid"
	ends 0
	logged hello
}

messages_in_utc() {
	local before after
	before=$(date -u +%FT%TZ)
	INFO_LOG=$DIR/info.log bash -c 'source "$1/ops/settings.sh" && info hello' - "$HERE"
	after=$(date -u +%FT%TZ)
	read -r text _ <"$DIR/info.log"
	[[ ! $text < $before && ! $text > $after ]] || { echo "$text is not between $before and $after" && return 1; }
}

# pretend - holds the lock of the instance, as "up" does, and becomes a process with the supervisor's record once the file
# "go" exists.
pretend() {
	echo "$BASHPID" >>"$DIR/pids"
	mkdir -p -- "$run"
	exec 9>"$run/lock"
	flock 9
	until [[ -e $DIR/go ]]; do sleep 0.05 9>&-; done
	local -a field
	read -ra field <"/proc/$BASHPID/stat"
	printf '%s %s 0 0\n' "$BASHPID" "${field[21]}" >"$run/payhook.pid"
	exec sleep 1000
}

down() {
	timeout 20 "$HERE/payhook" down
}

down_during_the_start() {
	clean_up
	rm -f -- "$DIR/go"
	pretend &
	await 10 test -e "$run/lock"
	down >"$DIR/down.out" &
	local down=$!
	await 10 grep -q stopping "$DIR/down.out"
	: >"$DIR/go"
	wait "$down"
	[[ ! -e $run ]]
}

down_of_a_frozen_one() {
	clean_up
	pretend &
	pid=$!
	: >"$DIR/go"
	await 10 grep -q . "$run/payhook.pid"
	kill -STOP "$pid"
	down
	[[ ! -e $run ]]
}

# After a power cut, the records of the boot before are left in a folder that is on a disk; their pids are now those of others.
records_of_an_earlier_boot() {
	local -a field
	clean_up
	sleep 1000 &
	pid=$!
	echo "$pid" >>"$DIR/pids"
	await 10 grep -q '(sleep)' "/proc/$pid/stat"
	read -ra field <"/proc/$pid/stat"
	mkdir -p -- "$run"
	: >"$run/lock"
	echo 00000000-0000-4000-8000-000000000000 >"$run/boot"
	printf '%s %s 0 0\n' "$pid" "${field[21]}" >"$run/worker.pid"
	down
	kill -0 "$pid"
}

check "with its first descriptors closed, it writes no line for the terminal into its log" closed_descriptors
check "a terminal that nobody reads does not stop it" unread_terminal
check "what a client wrote into a log controls no terminal" lines_for_the_terminal
check "neither by way of the command logs" lines_of_logs
check "nor by the end of a log that is shown when a part fails" end_of_a_log
check "a hangup stops it" hangup
check "a hangup that is ignored at its start does not" ignored_hangup
check "it ends when its first process cannot be started" no_process_to_be_had
check "a step that is killed is reported" killed_step
check "a step goes on when the reader of its messages has gone" step_without_reader
check "messages have their time in UTC" messages_in_utc
check "down stops an instance that is starting" down_during_the_start
check "down stops an instance with a frozen supervisor" down_of_a_frozen_one
check "records of an earlier boot are not those of running parts" records_of_an_earlier_boot
finish
