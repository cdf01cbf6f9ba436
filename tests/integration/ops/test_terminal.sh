#!/bin/bash
# test_terminal.sh - what root starts by the package's command as the user of a service has no way to root's terminal, and works
# as if it had one.  The programs that it runs say what they find.  Prints TAP.
set -euo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../.." && pwd)
# shellcheck source=tests/support/tap.sh
source "$ROOT/tests/support/tap.sh"
deadline 120 "$@"
if [[ $EUID -ne 0 ]] || ! id -u payhook >/dev/null 2>&1; then
	echo '1..0 # SKIP not root, or there is no user payhook'
	exit 0
fi
tap_folder terminal
mkdir "$DIR/bin" "$DIR/ops" "$DIR/etc"

# Stands for psql, pg_dump and payhook-ctl.
make_program() {
	cat >"$DIR/bin/find" <<-'SH'
		#!/bin/bash
		case $* in
		*server_version_num*) echo 150000 && exit ;;
		*-V*) echo 'pg_dump (PostgreSQL) 15.1' && exit ;;
		esac
		{ : </dev/tty; } 2>/dev/null && echo "has a terminal, of $(stty size)"
		for path in /proc/$$/fd/*; do
			[[ ! -t ${path##*/} ]] || echo "terminal $(readlink "$path")"
		done
		[[ $* != *--read* ]] || { echo reads; read -r line && echo "read $line"; }
		[[ $* != *--wait* ]] || { trap 'echo interrupted; exit 9' INT; echo waits; for _ in {1..100}; do sleep 0.1; done; }
		[[ $1 != payload ]] || echo "arguments $*"
		[[ ! -t 1 ]] || echo "user $(id -un), groups $(id -Gn), $(grep -c '^NoNewPrivs:.1' /proc/$$/status)"
		echo "error $$" | sed 's/ .*//' >&2
		exit 7
	SH
	chmod 755 "$DIR/bin/find"
	for name in psql ctl; do
		ln -s find "$DIR/bin/$name"
	done
	printf '#!/bin/sh\necho nobody\n' >"$DIR/bin/systemctl"
	chmod 755 "$DIR/bin/systemctl"
}

# The package's command with the programs of the test: it leaves the caller's PATH behind.
make_command() {
	cp -- "$ROOT"/ops/*.sh "$DIR/ops/"
	# shellcheck disable=SC2016
	printf 'PATH=%s:$PATH\n' "$DIR/bin" >>"$DIR/ops/help.sh"
	echo 'DATABASE_URL=host=none' >"$DIR/etc/payhook.env"
	sed "s|@share@|$DIR|; s|@confdir@|$DIR/etc|; s|@ctl@|$DIR/bin/ctl|" "$ROOT/systemd/payhook.in" >"$DIR/payhook"
	chmod 755 "$DIR/payhook"
}

# on_terminal COMMAND [BYTES SIGN] - runs this line of shell on a terminal.  The bytes are typed once the terminal shows the line
# SIGN.  What it shows is in $DIR/out.
on_terminal() {
	local keyboard=/dev/null typist=''
	# shellcheck disable=SC2016
	printf 'stty rows 33 cols 99 -echo\ntty >"%s/tty"\nexec 5<>"$(tty)"\necho begins\n%s\necho "status $?"\n' "$DIR" "$1" \
		>"$DIR/line"
	: >"$DIR/shown"
	if [[ $# -gt 1 ]]; then
		keyboard=$DIR/keyboard
		rm -f "$keyboard"
		mkfifo "$keyboard"
		{ type_at "$2" "$3" || true; } >"$keyboard" &
		typist=$!
		echo "$typist" >"$DIR/typist"
	fi
	# Its status is not looked at: Ctrl-C reaches the shell too.  What the command's was, the terminal shows.
	timeout 30 script -qc "bash '$DIR/line'" /dev/null <"$keyboard" >"$DIR/shown" || true
	[[ -z $typist ]] || wait "$typist"
	tr -d '\r' <"$DIR/shown" | sed 's/^^@//; /^begins$/d' >"$DIR/out"
}

# type_at BYTES SIGN - and keeps the keyboard until the command has ended, since script types the end of input.
type_at() {
	await 20 grep -q "^\(^@\)\?$2" "$DIR/shown" || return
	printf '%b' "$1"
	await 20 grep -q '^status' "$DIR/shown"
}

# shows LINE... - the terminal has shown these lines, and no others.
shows() {
	equal "$(sed "s|$(<"$DIR/tty")|OF ROOT|; s|/dev/pts/[0-9]*|of its own|" "$DIR/out" | uniq)" "$(printf '%s\n' "$@")"
}

psql_has_its_own() {
	on_terminal "$DIR/payhook psql"
	shows 'has a terminal, of 33 99' 'terminal of its own' 'user nobody, groups nogroup, 1' error 'status 7'
	on_terminal "$DIR/payhook psql 2>$DIR/err"
	shows 'has a terminal, of 33 99' 'terminal of its own' 'user nobody, groups nogroup, 1' 'status 7'
	equal "$(<"$DIR/err")" error
	on_terminal "$DIR/payhook psql --read" 'typed\n' reads
	grep -qx 'read typed' "$DIR/out"
}

others_have_none() {
	local command
	for command in key check verify psql\ -Atc; do
		on_terminal "$DIR/payhook $command >$DIR/printed"
		shows error 'status 7'
		equal "$(<"$DIR/printed")" ''
	done
	for command in key check verify; do
		on_terminal "$DIR/payhook $command"
		shows error 'status 7'
		on_terminal "$DIR/payhook $command 2>$DIR/err"
		shows 'status 7'
		equal "$(<"$DIR/err")" error
	done
	on_terminal "echo piped | $DIR/payhook psql --read"
	shows reads 'read piped' error 'status 7'
}

what_is_typed_is_read() {
	on_terminal "$DIR/payhook verify --read" 'typed\n' reads
	shows reads 'read typed' error 'status 7'
	on_terminal "echo piped | $DIR/payhook verify --read"
	shows reads 'read piped' error 'status 7'
	on_terminal "echo piped | $DIR/payhook forget --account -"
	shows error 'payhook: nothing was erased' 'status 1'
	on_terminal "$DIR/payhook forget --account - </dev/null"
	shows 'payhook: there is no account on standard input' 'status 2'
	on_terminal "$DIR/payhook key --read; read -r line; echo \"left \$line\"" 'typed\n' begins
	grep -qx 'left typed' "$DIR/out"
}

interrupt_reaches_it() {
	on_terminal "$DIR/payhook check --wait" '\003' waits
	shows waits interrupted 'status 9'
	on_terminal "$DIR/payhook psql --wait" '\003' waits
	grep -q interrupted "$DIR/out"
}

# It has a pipe in place of the terminal, and so cannot know that it writes to one.
what_a_sender_wrote_is_escaped() {
	on_terminal "$DIR/payhook payload t"
	shows 'arguments payload t --escape' error 'status 7'
	on_terminal "$DIR/payhook payload t --body >$DIR/printed"
	equal "$(<"$DIR/printed")" 'arguments payload t --body'
}

both_commands_of_a_kept_request_are_run() {
	on_terminal "$DIR/payhook verify bank --transaction t >$DIR/printed"
	shows error 'status 7'
	equal "$(<"$DIR/printed")" ''
}

# As when a connection breaks.
end_of_terminal() {
	local shell
	on_terminal "echo \$\$ >$DIR/shell; $DIR/payhook psql --wait --wait=$DIR" '' never &
	await 10 pgrep -f "bin/psql .*--wait=$DIR"
	pgrep -f -- "--wait=$DIR" >"$DIR/pids"
	shell=$(ps -o ppid= -p "$(<"$DIR/shell")")
	kill -KILL "$shell"
	await 5 none_is_left
	kill "$(<"$DIR/typist")"
}

none_is_left() {
	! ps -o args= -p "$(paste -sd, "$DIR/pids")"
}

backup_of_a_terminal() {
	on_terminal "$DIR/payhook backup -"
	shows 'payhook: a backup is binary data: redirect standard output to a file or a pipe' 'status 2'
}

make_program
make_command
check "psql on a terminal gets one of its own" psql_has_its_own
check "other commands get none, and neither does psql with its output in a file" others_have_none
check "what is typed is read by a command that reads, and by no other" what_is_typed_is_read
check "Ctrl-C ends the command" interrupt_reaches_it
check "when its terminal ends, so does the command" end_of_terminal
check "what a sender wrote is escaped on a terminal" what_a_sender_wrote_is_escaped
check "a kept request goes from one command to the other, and not to the terminal" both_commands_of_a_kept_request_are_run
check "a backup is still not printed on a terminal" backup_of_a_terminal
finish
