#!/usr/bin/env bash
# headers.sh COMPILER - checks that each header compiles alone, and when it is included twice; prints TAP.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=tests/support/tap.sh
source tests/support/tap.sh
tap_folder headers
read -r -a packages <<<"$(pkg-config --cflags libevent_core libpq json-c fcgi)"
compile=("$@" -std=c17 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -Wall -Wextra -Wpedantic -Werror -fsyntax-only
	-Iinclude -Iapp -Iworker -Ictl -Itests "${packages[@]}" -x c -)

# alone_and_twice HEADER...
alone_and_twice() {
	local header status=0
	for header in "$@"; do
		printf '#include "%s"\n#include "%s"\nextern int not_empty;\n' "$PWD/$header" "$PWD/$header" |
			"${compile[@]}" -I"${header%/*}" || status=1
	done
	return "$status"
}

# A part of them for each core.
each_compiles() {
	local part parts child status=0
	local -a children=()
	parts=$(nproc)
	[[ $parts =~ ^[0-9]+$ ]]
	for ((part = 0; part < parts; part++)); do
		mapfile -t mine < <(printf '%s\n' "${headers[@]}" | awk -v n="$parts" -v k="$part" 'NR % n == k')
		alone_and_twice "${mine[@]}" &
		children+=("$!")
	done
	for child in "${children[@]}"; do
		wait "$child" || status=1
	done
	return "$status"
}

mapfile -t headers < <(tests/style/tree.py '**/*.h')
wait "$!"
check "each header compiles alone and twice" each_compiles
finish
