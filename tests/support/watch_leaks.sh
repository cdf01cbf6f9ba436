#!/bin/sh
# watch_leaks.sh PROGRAM - runs a test program so that a leak fails it.  LeakSanitizer reports a leak when a child
# process of Criterion ends, and Criterion ignores that child's exit status.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0
ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}log_path=$dir/report" "$@" || status=$?
for report in "$dir"/report*; do
	[ -e "$report" ] || continue
	cat "$report" >&2
	status=1
done
exit "$status"
