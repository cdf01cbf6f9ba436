# shellcheck shell=bash
# Runs what root starts as another user away from root's terminal.
#
# A process can put characters into the terminal of its session, from where root's shell reads them as commands, and other
# processes of its user can make it do so.  Whoever has a descriptor of a terminal, even as its output, can read what is typed
# there.  So such a process is in a session of its own, with pipes in place of the terminal.

# terminals_close - closes the descriptors that lead to a terminal, except the first three.
terminals_close() {
	local path fd
	for path in "/proc/$BASHPID/fd/"*; do
		fd=${path##*/}
		[[ $fd == [012] || ! -t $fd ]] || exec {fd}>&-
	done
}

# apart_await PID - waits until a child has ended, and returns its status, which bash keeps.  A signal ends a wait early.
apart_await() {
	while wait "$1" || true; do
		kill -0 "$1" 2>/dev/null || break
	done
	wait "$1"
}

# apart_wait PID - waits for this leader of a session, which gets the signals that would end the caller.  Returns its status.
apart_wait() {
	local signal
	for signal in INT TERM HUP QUIT; do
		# shellcheck disable=SC2064
		trap "kill -s $signal -- -$1 $1 2>/dev/null || true" "$signal"
	done
	apart_await "$1"
}

# apart_start IS-READER COMMAND... - runs it without a terminal, with standard input if it is a reader.  What is typed reaches it
# through a pipe.
apart_start() {
	local status=0 feeder='' input
	if [[ -z $1 ]]; then
		exec {input}</dev/null
	elif [[ -t 0 ]]; then
		exec {input}< <(exec cat)
		feeder=$!
	else
		exec {input}<&0
	fi
	# The shell lets what runs beside it ignore these signals.
	env --default-signal=INT,QUIT setsid "${@:2}" <&"$input" {input}<&- &
	apart_wait "$!" || status=$?
	[[ -z $feeder ]] || kill "$feeder" 2>/dev/null || true
	return "$status"
}

# Passes on what is printed until its end, which comes after Ctrl-C too.
apart_print() {
	trap '' INT QUIT
	cat
}

# apart_run IS-READER COMMAND... - as apart_start does, with pipes to the terminal for what it prints.
apart_run() {
	if [[ -t 1 && -t 2 ]]; then
		apart_start "$@" 2>&1 | apart_print
	elif [[ -t 1 ]]; then
		apart_start "$@" | apart_print
	elif [[ -t 2 ]]; then
		{ apart_start "$@" 2>&1 >&3 3>&- | apart_print >&2; } 3>&1
	else
		apart_start "$@"
	fi
}

# apart_with_terminal RUNUSER-ARGUMENT... - on a terminal that runuser makes.  runuser ignores the end of the caller's; its own end
# is that of the terminal that it made.
apart_with_terminal() {
	local pid
	env --default-signal=INT,QUIT runuser --pty "$@" <&0 &
	pid=$!
	# shellcheck disable=SC2064
	trap "kill -KILL $pid" HUP
	# shellcheck disable=SC2064
	trap "kill -TERM $pid" TERM
	trap '' INT QUIT
	apart_await "$pid"
}

# apart_become USER IS-READER IS-INTERACTIVE COMMAND... - runs the command as this user, and exits with its status.  What is
# interactive, and started on a terminal, gets one of its own.
apart_become() {
	local user=$1 group status=0
	local -a bare=(setpriv --no-new-privs --inh-caps=-all)
	terminals_close
	group=$(id -g -- "$user") || exit 1
	if [[ -z $3 || ! -t 0 || ! -t 1 ]]; then
		apart_run "$2" "${bare[@]}" --reuid="$user" --regid="$group" --init-groups "${@:4}" || status=$?
	elif [[ -t 2 ]]; then
		apart_with_terminal -u "$user" -- "${bare[@]}" "${@:4}" || status=$?
	else
		# runuser prints all that its terminal gets on standard output.
		# shellcheck disable=SC2016
		apart_with_terminal -u "$user" -- sh -c 'exec "$@" 2>&3 3>&-' sh "${bare[@]}" "${@:4}" 3>&2 || status=$?
	fi
	exit "$status"
}
