# shellcheck shell=bash
# TAP, waiting, and a deadline, for the scripts of this folder.
#
# A script sources this, calls deadline first, sets its own trap for EXIT that takes down what it started, runs its
# checks and ends with "finish".  A check goes on after a failure; need ends the script.

CHECKS=0
FAILED=0

# deadline SECONDS "$@": runs the script anew under a time limit.  When it has passed, whatever the script waits for is
# ended too, so that its trap comes in time.
deadline() {
	if [[ -z ${DEPLOY_HAS_DEADLINE-} ]]; then
		DEPLOY_HAS_DEADLINE=yes exec timeout --kill-after=45 "$1" "$0" "${@:2}"
	fi
	unset DEPLOY_HAS_DEADLINE
	trap 'note "ended by a signal: its time is over, or somebody stopped it"; exit 1' TERM INT HUP
}

note() {
	printf '# %s\n' "${*//$'\n'/$'\n# '}"
}

# check NAME COMMAND...: one test.  What the command says is shown when it fails.
check() {
	local output began=$SECONDS
	CHECKS=$((CHECKS + 1))
	if output=$("${@:2}" 2>&1); then
		printf 'ok %d - %s\n' "$CHECKS" "$1"
		note "$((SECONDS - began)) s"
		return 0
	fi
	FAILED=$((FAILED + 1))
	printf 'not ok %d - %s\n' "$CHECKS" "$1"
	note "$(tail -n 40 <<<"$output")"
	note "$((SECONDS - began)) s"
	return 1
}

# need NAME COMMAND...: a test without which there is nothing more to test.
need() {
	check "$@" || finish
}

finish() {
	printf '1..%d\n' "$CHECKS"
	exit "$((FAILED > 0))"
}

# await SECONDS COMMAND...: until it succeeds; else what it said last.
await() {
	local until=$((SECONDS + $1)) output
	until output=$("${@:2}" 2>&1); do
		if ((SECONDS >= until)); then
			printf 'not within %d s: %s\n%s\n' "$1" "${*:2}" "$output"
			return 1
		fi
		sleep 0.2
	done
	printf '%s' "$output"
}
