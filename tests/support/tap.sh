# shellcheck shell=bash
# tap.sh - what every test in shell shares: TAP on standard output, a folder of its own, comparing, waiting, a time limit.
#
# A script sources this, calls tap_folder (or sets DIR, and its own trap for EXIT), runs its checks, and ends with finish.
# A check goes on after a failure; need ends the script.  A script whose work may hang calls deadline first.

CHECKS=0
FAILED=0
# Set by tests/run for what runs beside a suite that comes first: limits that only end what hangs are so many times as long.
[[ ${TIME_FACTOR-} =~ ^[1-9]$ ]] || TIME_FACTOR=1

# tap_folder NAME: sets DIR, a folder that is gone in the end, however that comes.  Before it goes, clean_up is called if the
# script defines it.  Other users may enter it: PostgreSQL's programs and payhook's do.
tap_folder() {
	DIR=$(mktemp -d "/tmp/payhook-test-$1.XXXXXX")
	chmod 755 "$DIR"
	trap tap_remove EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

tap_remove() {
	trap '' INT TERM HUP
	! declare -F clean_up >/dev/null || clean_up
	rm -rf --one-file-system -- "$DIR"
}

# deadline SECONDS "$@": runs the script anew under a time limit, TIME_FACTOR times SECONDS.  When it has
# passed, whatever the script waits for is ended too, so that its trap comes in time.
deadline() {
	if [[ -z ${TAP_HAS_DEADLINE-} ]]; then
		TAP_HAS_DEADLINE=yes exec timeout --kill-after=45 "$(($1 * TIME_FACTOR))" "$0" "${@:2}"
	fi
	unset TAP_HAS_DEADLINE
	trap 'note "ended by a signal: its time is over, or somebody stopped it"; exit 1' TERM INT HUP
}

note() {
	printf '# %s\n' "${*//$'\n'/$'\n# '}"
}

# check NAME COMMAND...: one test, in a subshell, with "set -e" if the script has it.  When it fails, the end of what the
# command printed is shown, and of what it kept in $DIR/out.
check() {
	local status option='' began=$SECONDS
	CHECKS=$((CHECKS + 1))
	# Not as the condition of an "if": nothing that fails inside would end it there.
	[[ $- != *e* ]] || option=e
	set +e
	(
		[[ -z $option ]] || set -e
		"${@:2}"
	) >"$DIR/check.out" 2>&1
	status=$?
	[[ -z $option ]] || set -e
	if ((status == 0)); then
		printf 'ok %d - %s\n' "$CHECKS" "$1"
	else
		FAILED=$((FAILED + 1))
		printf 'not ok %d - %s\n' "$CHECKS" "$1"
		note "$(tail -n 60 "$DIR/check.out")"
		[[ ! -s $DIR/out ]] || note "$(tail -n 60 "$DIR/out")"
	fi
	note "$((SECONDS - began)) s"
}

# need NAME COMMAND...: a test without which there is nothing more to test.
need() {
	local before=$FAILED
	check "$@"
	((FAILED == before)) || finish
}

finish() {
	printf '1..%d\n' "$CHECKS"
	exit "$((FAILED > 0))"
}

# equal GOT WANTED
equal() {
	[[ $1 == "$2" ]] || { printf 'got "%s", wanted "%s"\n' "$1" "$2" && return 1; }
}

# expect WHAT GOT WANTED
expect() {
	[[ $2 == "$3" ]] || { printf '%s: got "%s", wanted "%s"\n' "$1" "$2" "$3" && return 1; }
}

# await SECONDS COMMAND...: until it succeeds; else its last output.  SECONDS is more than it takes on a machine that does nothing
# else; since it may be busy, three times as long is waited.  What has to come within a time is measured, not awaited.
await() {
	local most=$((3 * $1 * TIME_FACTOR)) output
	local until=$((SECONDS + most))
	until output=$("${@:2}" 2>&1); do
		if ((SECONDS >= until)); then
			printf 'not within %d s: %s\n%s\n' "$most" "${*:2}" "$output"
			return 1
		fi
		sleep 0.2
	done
	printf '%s' "$output"
}
