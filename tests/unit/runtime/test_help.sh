#!/bin/bash
# test_help.sh - every command shows its help and does nothing else; every program has its version; prints TAP.
set -euo pipefail

HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../.." && pwd)
# shellcheck source=tests/support/tap.sh
source "$HERE/tests/support/tap.sh"
tap_folder help
BUILD=${PAYHOOK_BUILD:-$HERE/build}
mkdir "$DIR/empty"
# A command that did something would leave its traces here.
export PAYHOOK_VAR=$DIR/empty/var PAYHOOK_BUILD=$DIR/empty/build PAYHOOK_ENV_FILE=/dev/null
# The package's command, with the scripts of the tree.
sed "s,@share@,$HERE,; s,@confdir@,$DIR/empty,; s,@ctl@,$BUILD/ctl/payhook-ctl,; s,@version@,1.2.3," "$HERE/systemd/payhook.in" >"$DIR/payhook"
chmod 755 "$DIR/payhook"

# prints STATUS TEXT COMMAND... - the command has this status and prints this text, and leaves nothing behind.
prints() {
	local status=0 output
	output=$(cd "$DIR/empty" && timeout 20 "${@:3}" 2>&1 </dev/null) || status=$?
	[[ $status == "$1" && $output == *"$2"* ]] || { echo "${*:3}: status $status: $output" && return 1; }
	equal "$(ls -A "$DIR/empty")" ''
}

# commands PROGRAM - prints those of its summary.
commands() {
	"$1" help | sed -nE 's/^  ([a-z][a-z-]*)\b.*/\1/p' | sort -u
}

# each_has_help PROGRAM LEAST - it has at least so many commands.
each_has_help() {
	local command seen=0
	for command in $(commands "$1"); do
		seen=$((seen + 1))
		[[ $command != help ]] || continue
		prints 0 usage: "$1" "$command" --help
		prints 0 "$command" "$1" "$command" -h
	done
	((seen >= $2)) || { echo "only $seen commands" && return 1; }
}

of_the_commands() {
	each_has_help "$HERE/payhook" 24
	each_has_help "$DIR/payhook" 16
	prints 0 'build the Debian package' "$HERE/payhook" deb --help
	prints 0 --deploy "$HERE/payhook" test --help
}

of_the_tool() {
	local command
	for command in status ls show payment retry sources actions verify payload send listen key check currencies; do
		prints 0 "  $command" "$BUILD/ctl/payhook-ctl" "$command" --help
	done
}

# What takes no argument does nothing with one.
others_are_refused() {
	local command
	for command in down reload build deb; do
		prints 2 "payhook: $command takes no argument, not: --hlep" "$HERE/payhook" "$command" --hlep
	done
	prints 2 "payhook: status takes --json or nothing, not: --hlep" "$HERE/payhook" status --hlep
	prints 2 "payhook: status takes no argument, not: --hlep" "$DIR/payhook" status --hlep
}

versions() {
	local version program
	version=$("$BUILD/app/payhook-app" --version)
	version=${version#payhook-app }
	[[ $version == [0-9]*.[0-9]* ]]
	prints 0 "payhook $version" "$HERE/payhook" --version
	prints 0 "payhook 1.2.3" "$DIR/payhook" --version
	for program in worker/payhook-worker console/payhook-console ctl/payhook-ctl; do
		prints 0 "${program##*/} $version" "$BUILD/$program" --version
	done
}

check "every command of ./payhook and of the package's payhook shows its help, and does nothing" of_the_commands
check "so does every command of payhook-ctl" of_the_tool
check "a command without arguments refuses one" others_are_refused
check "every program prints its version" versions
finish
