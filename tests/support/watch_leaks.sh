#!/bin/sh
# Runs a test program so that a leak fails it.  LeakSanitizer reports a leak when one of Criterion's children ends, and
# Criterion does not look at that: the run would pass.
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
