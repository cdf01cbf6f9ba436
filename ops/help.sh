# shellcheck shell=bash
# The help of one command, from the summary that cmd_help prints; of ./payhook and of the package's command.

# help_is_asked ARGUMENT... - whether the arguments of a command ask for its help, and for nothing else.
help_is_asked() {
	[[ $# -eq 1 && ($1 == -h || $1 == --help) ]]
}

# help_of NAME COMMAND - prints the lines about a command in the summary.
help_of() {
	printf 'usage: %s %s\n' "$1" "$2"
	cmd_help | awk -v command="$2" '
		/^[^ ]|^$/ { shown = 0 }
		/^  [^ ]/ { shown = $1 == command }
		shown { print }'
}

# nothing_more COMMAND ARGUMENT... - refuses arguments of a command that takes none: "down --hlep" must not stop anything.
nothing_more() {
	[[ $# -eq 1 ]] || fail 2 "$1 takes no argument, not: ${*:2}"
}
