#!/bin/bash
# test_trust.sh - what other users of the machine, and the users of the parts, can make the commands of another user do: nothing.
# Prints TAP.
set -euo pipefail

HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../.." && pwd)
# shellcheck source=tests/support/tap.sh
source "$HERE/tests/support/tap.sh"
deadline 300 "$@"
tap_folder trust
if [[ $EUID -ne 0 ]] || ! setpriv --reuid=nobody --clear-groups test -x "$HERE/payhook"; then
	echo '1..0 # SKIP not root, or other users cannot run ./payhook'
	exit 0
fi
unset "${!PG@}"
export HERE ME=$HERE/payhook PAYHOOK_VAR=$DIR/var PAYHOOK_ENV_FILE=/dev/null DATABASE_URL=host=$DIR
: >"$DIR/pids"

clean_up() {
	local -a left
	mapfile -t left <"$DIR/pids"
	[[ ${#left[@]} -eq 0 ]] || kill -KILL "${left[@]}" 2>/dev/null || true
	rm -rf -- "$(run_of 0)" "/tmp/payhook-$(id -u nobody)-$(hash)"
}

hash() {
	local text
	text=$(printf '%s' "$PAYHOOK_VAR" | sha256sum)
	echo "${text:0:12}"
}

# run_of UID - where an instance of this user has its sockets and records.
run_of() {
	if [[ $1 == 0 ]]; then
		echo "/run/payhook-up/$(hash)"
	else
		echo "$PAYHOOK_VAR/run"
	fi
}

# as USER COMMAND...
as() {
	setpriv --reuid="$1" --regid="$(id -g "$1")" --clear-groups -- "${@:2}"
}

# payhook STATUS TEXT ARGS... - the command ends with this status, and prints the text.
payhook() {
	local status=0
	timeout 60 "${AS[@]}" "$HERE/payhook" "${@:3}" >"$DIR/out" 2>&1 </dev/null || status=$?
	expect "status of ${*:3}" "$status" "$1"
	[[ $(<"$DIR/out") == *"$2"* ]] || { echo "${*:3} does not print: $2" && return 1; }
}
AS=(env)

# inside COMMAND... - runs functions of the commands, as "./payhook up" would.
inside() {
	(
		for file in settings conninfo packages build database upgrade records up commands; do
			# shellcheck source=/dev/null
			source "$HERE/ops/$file.sh"
		done
		env_file_read
		folders_find up
		"$@"
	)
}

# refuses TEXT COMMAND... - each command fails with this text.
refuses() {
	local command
	for command in "${@:2}"; do
		# shellcheck disable=SC2086
		payhook 2 "$1" $command
	done
}

folder_of_another() {
	mkdir -m 755 -- "$DIR/theirs"
	chown nobody "$DIR/theirs"
	PAYHOOK_VAR=$DIR/theirs refuses "$DIR/theirs belongs to nobody" \
		up status logs down psql reload 'reset --yes' 'backup -' check upgrade-database
	# Another user can rename what is in his folder, whoever it belongs to.
	mkdir -m 755 -- "$DIR/theirs/var"
	PAYHOOK_VAR=$DIR/theirs/var refuses "$DIR/theirs belongs to nobody" up status
	PAYHOOK_VAR=$DIR/theirs/new refuses "$DIR/theirs belongs to nobody" up status
	equal "$(find "$DIR/theirs" | wc -l)" 2
	# And he can lead a link elsewhere.
	mkdir -m 755 -- "$DIR/mine"
	ln -s -- "$DIR/mine" "$DIR/theirs/link"
	PAYHOOK_VAR=$DIR/theirs/link refuses "$DIR/theirs belongs to nobody" up status
	(cd -- "$DIR/theirs" && PAYHOOK_VAR=link/x refuses "$DIR/theirs belongs to nobody" up)
	equal "$(ls -A -- "$DIR/mine")" ''
}

folder_open_to_others() {
	mkdir -- "$DIR/open" "$DIR/grouped" "$DIR/own"
	chmod 777 "$DIR/open"
	PAYHOOK_VAR=$DIR/open refuses "other users can write to $DIR/open" up status
	PAYHOOK_VAR=$DIR/open/var refuses "other users can write to $DIR/open" up
	PAYHOOK_VAR=/tmp refuses "other users can write to /tmp" status
	chgrp nogroup "$DIR/grouped"
	chmod 775 "$DIR/grouped"
	PAYHOOK_VAR=$DIR/grouped payhook 2 "other users can write to $DIR/grouped" status
	# The umask 002 is common where every user has a group alone.
	chmod 775 "$DIR/own"
	PAYHOOK_VAR=$DIR/own payhook 3 "not running" status
}

show_run() {
	printf '%s\n' "$RUN"
}

# The program's user owns the folder of the package's services.
folder_of_sockets() {
	inside show_run >"$DIR/out"
	[[ $(<"$DIR/out") != /run/payhook/* ]] || { echo "it is where the service of the package has its folder" && return 1; }
	mkdir -p -- "$(run_of 0)"
	chown nobody "$(run_of 0)"
	payhook 2 "belongs to nobody" status
	rmdir -- "$(run_of 0)"
}

settings_of_another() {
	printf 'PAYHOOK_PORT=81\n' >"$DIR/env"
	PAYHOOK_ENV_FILE=$DIR/env payhook 3 "not running" status
	chmod 666 "$DIR/env"
	PAYHOOK_ENV_FILE=$DIR/env payhook 2 "other users can write to $DIR/env" status
	chmod 644 "$DIR/env"
	chown nobody "$DIR/env"
	PAYHOOK_ENV_FILE=$DIR/env payhook 2 "$DIR/env belongs to nobody" status
}

# Whoever can write to a list of sources or of keys gives himself a key.
lists_of_another() {
	local name
	for name in SOURCES_FILE API_KEYS_FILE; do
		echo '{}' >"$DIR/list.json"
		chmod 666 "$DIR/list.json"
		(export "$name=$DIR/list.json" && payhook 2 "$name=$DIR/list.json: other users can write to $DIR/list.json" up)
		chmod 644 "$DIR/list.json"
		chown nobody "$DIR/list.json"
		(export "$name=$DIR/list.json" && payhook 2 "$name=$DIR/list.json: $DIR/list.json belongs to nobody" up)
		rm -- "$DIR/list.json"
	done
}

# refuses_secret TEXT SOURCES - every command that reads the list refuses the secret that it names.
refuses_secret() {
	export SOURCES_FILE=$2
	refuses "SOURCES_FILE: file=$1" up check 'verify s'
	printf 'SOURCES_FILE=%s\0' "$SOURCES_FILE" >"$DIR/pool.env"
	unset SOURCES_FILE
	! inside reload_check >"$DIR/out" 2>&1 || { echo "a reload takes it" && return 1; }
	grep -F "SOURCES_FILE: file=$1" "$DIR/out"
}

# What a reload does before it replaces the responders.
reload_check() {
	RUN=$DIR
	part_runs() { true; }
	pool_check --check
}

# Whoever can write a secret can sign webhooks.
secrets_of_another() {
	local list=$DIR/list.json secret=$DIR/secrets/new
	mkdir -m 755 -- "$DIR/secrets"
	echo secret >"$secret"
	echo '{"sources": [{"name": "s", "secrets": [{"env": "A"}, {"file" : "secrets\/n\u0065w"}]}]}' >"$list"
	SOURCES_FILE=$list inside trust_check_lists
	chown payhook "$secret"
	SOURCES_FILE=$list inside trust_check_lists
	chown nobody "$secret"
	refuses_secret "$secret: $secret belongs to nobody" "$list"
	chown root "$secret"
	chmod 666 "$secret"
	echo "{\"sources\": [{\"name\": \"s\", \"secrets\": [{\"file\":\"$secret\"}]}]}" >"$list"
	refuses_secret "$secret: other users can write to $secret" "$list"
	chmod 644 "$secret"
	chown nobody "$DIR/secrets"
	refuses_secret "$secret: $DIR/secrets belongs to nobody" "$list"
	rm -r -- "$list" "$DIR/secrets"
}

# refuses_file TEXT FUNCTION - it fails with this text.
refuses_file() {
	! inside "$2" >"$DIR/out" 2>&1 || { echo "$2 takes it: $1" && return 1; }
	grep -F "$1" "$DIR/out"
}

# What a reload does before it replaces the worker.
worker_reload_check() {
	RUN=$DIR
	worker_check
}

# Whoever can write a header, a certificate or a secret of the http processor decides what the worker sends, and where.
files_of_the_processor_of_another() {
	local file=$DIR/file name secret=$DIR/token
	for name in PROCESSOR_HEADERS PROCESSOR_SIGNING_SECRETS_FILE PROCESSOR_CA PROCESSOR_CLIENT_CERTIFICATE PROCESSOR_CLIENT_KEY; do
		echo '# nothing' >"$file"
		chmod 666 "$file"
		(export "$name=$file" && refuses_file "$name=$file: other users can write to $file" trust_check_processor)
		chmod 644 "$file"
		chown nobody "$file"
		(export "$name=$file" && refuses_file "$name=$file: $file belongs to nobody" trust_check_processor)
		rm -- "$file"
	done
	printf '# {file:%s/none}\nA: {file:token}\n' "$DIR" >"$file"
	echo secret >"$secret"
	chown payhook-worker "$secret"
	PROCESSOR_HEADERS=$file inside trust_check_processor
	chown nobody "$secret"
	(export PROCESSOR_HEADERS=$file && payhook 2 "PROCESSOR_HEADERS: file=$secret: $secret belongs to nobody" up)
	chown root "$secret"
	chmod 666 "$secret"
	printf 'PROCESSOR_HEADERS=%s\0' "$file" >"$DIR/worker.env"
	refuses_file "PROCESSOR_HEADERS: file=$secret: other users can write to $secret" worker_reload_check
	rm -- "$file" "$secret"
}

# Whoever names the database reads what root's payhook stores.
database_of_another() {
	local name
	local -a AS
	unset DATABASE_URL
	for name in DATABASE_URL_FILE POSTGRES_PASSWORD_FILE POSTGRES_USER_FILE; do
		echo host=none >"$DIR/value"
		AS=(env "$name=$DIR/value")
		[[ $name == DATABASE* ]] || export POSTGRES_HOST=none
		payhook 3 "not running" status
		chmod 666 "$DIR/value"
		payhook 2 "$name=$DIR/value: other users can write to $DIR/value" status
		chmod 600 "$DIR/value"
		chown nobody "$DIR/value"
		payhook 2 "$name=$DIR/value: $DIR/value belongs to nobody" status
		rm -- "$DIR/value"
	done
	unset POSTGRES_HOST
	AS=(env)
	DATABASE_URL_FILE=<(echo host=none) payhook 3 "not running" status
}

# Whoever holds the other end of a pipe or of a terminal decides what is read.  A pipe of the shell has no name.
settings_by_a_pipe() {
	mkfifo -m 600 -- "$DIR/fifo"
	chown nobody "$DIR/fifo"
	PAYHOOK_ENV_FILE=$DIR/fifo payhook 2 "$DIR/fifo belongs to nobody" status
	API_KEYS_FILE=$DIR/fifo payhook 2 "API_KEYS_FILE=$DIR/fifo: $DIR/fifo belongs to nobody" up
	chown root "$DIR/fifo"
	chmod 622 "$DIR/fifo"
	PAYHOOK_ENV_FILE=$DIR/fifo payhook 2 "other users can write to $DIR/fifo" status
	chmod 600 "$DIR/fifo"
	printf 'PAYHOOK_PORT=0\n' >"$DIR/fifo" &
	PAYHOOK_ENV_FILE=$DIR/fifo payhook 2 "it needs TLS_PORT" status
	wait "$!"
	mknod -m 620 "$DIR/terminal" c 4 1
	chown nobody:tty "$DIR/terminal"
	PAYHOOK_ENV_FILE=$DIR/terminal payhook 2 "$DIR/terminal belongs to nobody" status
	PAYHOOK_ENV_FILE=<(echo 'PAYHOOK_PORT=0') payhook 2 "it needs TLS_PORT" status
	PAYHOOK_ENV_FILE=/dev/null payhook 3 "not running" status
}

# Its build.ninja is a list of commands.
build_of_another() {
	mkdir -m 755 -- "$DIR/build"
	chown nobody "$DIR/build"
	PAYHOOK_BUILD=$DIR/build payhook 2 "$DIR/build belongs to nobody" build
}

# hold FILE - another user locks this file, if he can.
hold() {
	rm -f -- "$DIR/held" "$DIR/held.err"
	# Nothing but the one process with this pid.
	setpriv --reuid=nobody --regid=nogroup --clear-groups -- flock -F "$1" sh -c 'echo yes; exec sleep 1000' >"$DIR/held" 2>"$DIR/held.err" &
	echo "$!" >>"$DIR/pids"
	await 30 test -s "$DIR/held" -o -s "$DIR/held.err"
}

lock_of_a_build() {
	local file
	payhook 0 '' build
	for file in "$HERE" "$PAYHOOK_BUILD" "$PAYHOOK_BUILD/payhook.lock"; do
		hold "$file"
	done
	grep -q 'Permission denied' "$DIR/held.err"
	payhook 0 '' build
}

# Meson's own lock is a file that all users can open in a folder that it makes with the umask, as earlier versions of payhook let it.
lock_of_meson() {
	HERE=$DIR/project BUILD=$DIR/meson
	mkdir -- "$HERE" "$BUILD"
	echo "project('payhook')" >"$HERE/meson.build"
	echo "option('tests', type: 'boolean', value: false)" >"$HERE/meson_options.txt"
	build_configure
	hold "$BUILD/meson-private/meson.lock"
	grep 'Permission denied' "$DIR/held.err"
	chmod 755 "$BUILD/meson-private"
	hold "$BUILD/meson-private/meson.lock"
	grep yes "$DIR/held"
	sleep 0.1
	touch -- "$HERE/meson.build"
	build_targets
	hold "$BUILD/meson-private/meson.lock"
	grep 'Permission denied' "$DIR/held.err"
}

# After a crash the file of the lock is left.
lock_of_an_instance() {
	mkdir -p -- "$PAYHOOK_VAR"
	inside lock_take
	[[ -e $(run_of 0)/lock ]]
	hold "$(run_of 0)"
	hold "$(run_of 0)/lock"
	payhook 3 "not running" status
	payhook 0 "not running" down
}

# Every user can make a folder in /tmp that another one would use, with records that name his processes.
folder_in_tmp() {
	local victim long blank
	local -a field
	export AS=(setpriv --reuid=nobody --regid=nogroup --clear-groups --)
	"${AS[@]}" sleep 1000 &
	victim=$!
	echo "$victim" >>"$DIR/pids"
	await 10 grep -q '(sleep)' "/proc/$victim/stat"
	read -ra field <"/proc/$victim/stat"
	mkdir -m 777 -- "$DIR/nobody"
	chmod 755 "$DIR/nobody"
	chown nobody "$DIR/nobody"
	long=$DIR/nobody/$(printf %080d 0)
	blank="$DIR/nobody/a folder"
	for PAYHOOK_VAR in "$DIR/nobody/var" "$long" "$blank"; do
		run=/tmp/payhook-$(id -u nobody)-$(hash)
		as daemon mkdir -m 755 -- "$run"
		# shellcheck disable=SC2016
		as daemon sh -c 'printf "%s %s 0 BASH_VERSINFO[\$(>%s)]\n" "$2" "$3" "$4" >"$1/payhook.pid" && cp "$1/payhook.pid" "$1/worker.pid" &&
			echo 80 >"$1/port" && : >"$1/lock"' sh "$run" "$victim" "${field[21]}" "$DIR/nobody/ran"
		setpriv --reuid=daemon --regid=daemon --clear-groups -- flock -F "$run/lock" sleep 1000 &
		echo "$!" >>"$DIR/pids"
		if [[ $PAYHOOK_VAR != "$DIR/nobody/var" ]]; then
			payhook 1 "$run belongs to another user" status
			payhook 1 "$run belongs to another user" down
		else
			payhook 3 "not running" status
			payhook 0 "not running" down
		fi
		rm -rf -- "$run"
		# A folder that is a link to one of his own.
		"${AS[@]}" mkdir -p -- "$DIR/nobody/own"
		as daemon ln -s -- "$DIR/nobody/own" "$run"
		[[ $PAYHOOK_VAR == "$DIR/nobody/var" ]] || payhook 1 "$run belongs to another user" status
		rm -f -- "$run"
	done
	kill -0 "$victim"
	[[ ! -e $DIR/nobody/ran ]]
	# With such a path and no such folder, it is made, and closed.
	payhook 3 "not running" status
	equal "$(stat -c '%a %U' -- "$run")" '700 nobody'
	rmdir -- "$run"
	# shellcheck disable=SC2016
	as nobody env ME="$HERE/payhook" HERE="$HERE" PAYHOOK_VAR="$DIR/nobody/var" bash -c '
		source "$HERE/ops/settings.sh" && source "$HERE/ops/records.sh" && folders_find up && lock_take'
	equal "$(stat -c '%a %U' -- "$DIR/nobody/var/run" "$DIR/nobody/var/run/lock" | paste -sd,)" '700 nobody,600 nobody'
}

# A process on a terminal of root's can put characters into it, which root's shell would then read; and one with a descriptor of it
# can read what root types.  Another process of the same user can make it do so.
terminal_of_root() {
	cat >"$DIR/terminal.sh" <<-'SH'
		set -o pipefail
		source "$HERE/ops/settings.sh"
		folders_find up
		source "$HERE/ops/environment.sh"
		ENVIRONMENT=("PATH=$PATH")
		: </dev/tty && echo root has it
		for as in AS_APP AS_DB; do
			declare -n command=$as
			"${command[@]}" sh -c ': </dev/tty' 2>/dev/null && echo "$as has it"
			"${command[@]}" sh -c 'for fd in 0 1 2; do ! test -t $fd || echo "$1 has descriptor $fd"; done' sh "$as"
			with_environment "${command[@]}" sh -c 'test ! -t 0 && echo "$1 prints" && echo "$1 complains" >&2 && exit 7' sh "$as"
			echo "status $?"
			echo "$as reads" | "${command[@]}" cat
		done
		exit 0
	SH
	script -qec "bash '$DIR/terminal.sh'" /dev/null >"$DIR/out" </dev/null
	equal "$(tr -d '\r' <"$DIR/out" | sort | paste -sd,)" \
		"AS_APP complains,AS_APP prints,AS_APP reads,AS_DB complains,AS_DB prints,AS_DB reads,root has it,status 7,status 7"
}

# make_cluster - a cluster as "up" creates it, with other files of its configuration in the place of those that "up" writes.
make_cluster() {
	STATE=$DIR/state RUN=$DIR/run
	rm -rf -- "$STATE" "$RUN"
	mkdir -m 755 -- "$STATE" "$RUN"
	database_prepare
}

links_to() {
	local file
	for file in payhook.conf pg_hba.conf pg_ident.conf payhook.conf.new postmaster.pid; do
		rm -f -- "$STATE/pg/$file"
		as postgres ln -s -- "$DIR/root" "$STATE/pg/$file"
	done
}

configuration_by_links() {
	make_cluster
	equal "$(stat -c %U -- "$STATE"/pg/{payhook,pg_hba,pg_ident,local}.conf | sort -u)" postgres
	printf '1\nprecious\n3\n4\n5\n6\n7\nready\n' >"$DIR/root"
	chmod 600 "$DIR/root"
	links_to
	database_prepare
	equal "$(sed -n 2p "$DIR/root")" precious
	equal "$(stat -c '%a %U' -- "$DIR/root")" "600 root"
	"${AS_DB[@]}" "$PGBIN/postgres" -D "$STATE/pg" -C max_connections
	as postgres ln -s -- "$DIR/root" "$STATE/pg/postmaster.pid"
	printf '1 1 0 0\n' >"$RUN/postgres.pid"
	database_is_ready && return 1
	# What a link leads to is not printed either.
	rm -f -- "$STATE/pg/PG_VERSION"
	as postgres ln -s -- "$DIR/root" "$STATE/pg/PG_VERSION"
	(database_prepare) >"$DIR/out" 2>&1 && return 1
	! grep -q precious "$DIR/out"
}

check "a folder of another user is refused by every command" folder_of_another
check "so is one that others can write to" folder_open_to_others
check "root's records are in a folder that only root can make" folder_of_sockets
check "settings of another user are refused" settings_of_another
check "so are lists of sources and of keys" lists_of_another
check "so are secrets that such a list names" secrets_of_another
check "files of the http processor that another user could change are refused" files_of_the_processor_of_another
check "so are a connection string, a role and a password" database_of_another
check "so are a pipe and a terminal of another user, and not those of the shell" settings_by_a_pipe
check "so is another user's build" build_of_another
check "no other user can keep a build waiting" lock_of_a_build
check "nor by the lock of meson" inside lock_of_meson
check "no other user can pretend that payhook runs" lock_of_an_instance
check "a folder that another user made in /tmp is not used" folder_in_tmp
check "no part is started on root's terminal" terminal_of_root
check "root writes the cluster's configuration as its user" inside configuration_by_links
finish
