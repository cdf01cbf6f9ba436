# shellcheck shell=bash
# Text from outside that is shown: what clients wrote into a log, or what a database server says.  It must not control the
# terminal of the operator, possibly root.

# printable - copies standard input to standard output, each line at once.  Control characters but tab and newline, and bytes that
# are not UTF-8, become question marks.
printable() {
	LC_ALL=C perl -pe '
		BEGIN { $| = 1 }
		s{((?:[\t\n\x20-\x7e] | \xc2[\xa0-\xbf] | [\xc3-\xdf][\x80-\xbf]
			| \xe0[\xa0-\xbf][\x80-\xbf] | [\xe1-\xef][\x80-\xbf]{2}
			| \xf0[\x90-\xbf][\x80-\xbf]{2} | [\xf1-\xf4][\x80-\xbf]{3})+) | \xc2[\x80-\x9f] | .
		}{$1 // "?"}gsex;
	'
}

# printable_start TEXT - prints the beginning of a value, on one line.
printable_start() {
	local text=${1//[$'\n\t']/?}
	printable <<<"${text:0:60}"
}

# printable_errors COMMAND [ARG...] - runs it, with its standard error as printable makes it.  The shell needs pipefail.
printable_errors() {
	{ "$@" 2>&1 >&3 3>&- | printable >&2 3>&-; } 3>&1
}
