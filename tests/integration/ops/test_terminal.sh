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
		[[ $* != *--read* ]] || { read -r line && echo "read $line"; }
		[[ $* != *--wait* ]] || { trap 'echo interrupted; exit 9' INT; echo waits; for _ in {1..100}; do sleep 0.1; done; }
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

# on_terminal COMMAND - runs this line of shell on a terminal with standard input as its keyboard, and prints what it shows.
on_terminal() {
	# shellcheck disable=SC2016
	printf 'stty rows 33 cols 99 -echo\ntty >"%s/tty"\nexec 5<>"$(tty)"\n%s\necho "status $?"\n' "$DIR" "$1" >"$DIR/line"
	timeout 30 script -qec "bash '$DIR/line'" /dev/null | tr -d '\r' >"$DIR/out"
}

# shows LINE... - the terminal has shown these lines, and no others.  "^@" stands for the end of what script types.
shows() {
	equal "$(sed "s|^^@||; s|$(<"$DIR/tty")|OF ROOT|; s|/dev/pts/[0-9]*|of its own|" "$DIR/out" | uniq)" "$(printf '%s\n' "$@")"
}

psql_has_its_own() {
	on_terminal "$DIR/payhook psql" </dev/null
	shows 'has a terminal, of 33 99' 'terminal of its own' 'user nobody, groups nogroup, 1' error 'status 7'
	on_terminal "$DIR/payhook psql 2>$DIR/err" </dev/null
	shows 'has a terminal, of 33 99' 'terminal of its own' 'user nobody, groups nogroup, 1' 'status 7'
	equal "$(<"$DIR/err")" error
	on_terminal "$DIR/payhook psql --read" < <(sleep 1 && echo typed && sleep 2)
	grep -qx 'read typed' "$DIR/out"
}

others_have_none() {
	local command
	for command in key check verify psql\ -Atc; do
		on_terminal "$DIR/payhook $command >$DIR/printed" </dev/null
		shows error 'status 7'
		equal "$(<"$DIR/printed")" ''
	done
	for command in key check verify; do
		on_terminal "$DIR/payhook $command" </dev/null
		shows error 'status 7'
		on_terminal "$DIR/payhook $command 2>$DIR/err" </dev/null
		shows 'status 7'
		equal "$(<"$DIR/err")" error
	done
	on_terminal "echo piped | $DIR/payhook psql --read" </dev/null
	shows 'read piped' error 'status 7'
}

what_is_typed_is_read() {
	on_terminal "$DIR/payhook verify --read" < <(sleep 1 && echo typed && sleep 2)
	shows 'read typed' error 'status 7'
	on_terminal "echo piped | $DIR/payhook verify --read" </dev/null
	shows 'read piped' error 'status 7'
	on_terminal "$DIR/payhook key --read; read -r line; echo \"left \$line\"" < <(sleep 2 && echo typed && sleep 2)
	grep -qx 'left typed' "$DIR/out"
}

interrupt_reaches_it() {
	on_terminal "$DIR/payhook check --wait" < <(sleep 2 && printf '\003' && sleep 2)
	shows waits interrupted 'status 9'
	on_terminal "$DIR/payhook psql --wait" < <(sleep 2 && printf '\003' && sleep 2)
	grep -q interrupted "$DIR/out"
}

# As when a connection breaks.
end_of_terminal() {
	local shell
	on_terminal "echo \$\$ >$DIR/shell; $DIR/payhook psql --wait --wait=$DIR" < <(sleep 20) &
	await 10 pgrep -f "bin/psql .*--wait=$DIR"
	pgrep -f -- "--wait=$DIR" >"$DIR/pids"
	shell=$(ps -o ppid= -p "$(<"$DIR/shell")")
	kill -KILL "$shell"
	await 5 none_is_left
}

none_is_left() {
	! ps -o args= -p "$(paste -sd, "$DIR/pids")"
}

backup_of_a_terminal() {
	on_terminal "$DIR/payhook backup -" </dev/null
	shows 'payhook: a backup is binary data: redirect standard output to a file or a pipe' 'status 2'
}

make_program
make_command
check "psql on a terminal gets one of its own" psql_has_its_own
check "other commands get none, and neither does psql with its output in a file" others_have_none
check "what is typed is read by a command that reads, and by no other" what_is_typed_is_read
check "Ctrl-C ends the command" interrupt_reaches_it
check "when its terminal ends, so does the command" end_of_terminal
check "a backup is still not printed on a terminal" backup_of_a_terminal
finish
