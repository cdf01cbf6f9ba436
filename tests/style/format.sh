#!/usr/bin/env bash
# format.sh - clang-format over the C files, shellcheck over the scripts, mandoc over the man pages.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
status=0

# By their first line, or by their name.
scripts() {
	local file line
	tests/style/tree.py | while IFS= read -r file; do
		line=
		IFS= read -r -n 64 line <"$file" || true
		if [[ $file == *.sh || $line =~ ^'#!'.*[/\ ](ba)?sh($|\ ) || $line == '# shellcheck shell='* ]]; then
			printf '%s\n' "$file"
		fi
	done
}

# check NUMBER NAME COMMAND... - one test.
check() {
	local output
	if output=$("${@:3}" 2>&1); then
		echo "ok $1 - $2"
	else
		status=1
		echo "not ok $1 - $2"
		# The first of many: one line of a wrongly set file is enough to know it.
		sed -n '1,60s/^/# /p' <<<"$output"
	fi
}

mapfile -t sources < <(tests/style/tree.py '**/*.c' '**/*.h')
mapfile -t scripts < <(scripts)
echo "1..4"
if [[ ${#sources[@]} -gt 0 && ${#scripts[@]} -gt 0 ]]; then
	echo "ok 1 - there are sources and scripts to look at"
else
	echo "not ok 1 - there are sources and scripts to look at"
	exit 1
fi
check 2 "C is set by clang-format" clang-format --dry-run -Werror --ferror-limit=1 "${sources[@]}"
check 3 "shellcheck finds nothing in ${#scripts[@]} scripts" shellcheck -x "${scripts[@]}"
check 4 "mandoc finds nothing in the man pages" mandoc -T lint -W warning man/*.[18]
exit "$status"
