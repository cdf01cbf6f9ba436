# shellcheck shell=bash disable=SC2034,SC2154
# The private PostgreSQL cluster, or the connection to an existing server.

# shellcheck source=ops/postgres.sh
source "${BASH_SOURCE[0]%/*}/postgres.sh"

# Sets DB_PRIVATE and CONNINFO.  For the private cluster it also sets DATABASE_URL, which the programs read, and removes
# the variables that psql would read.  A payhook started by this one recognises the private cluster by this conninfo.
database_find() {
	local private="host=$RUN/pg port=5432 user=payhook dbname=payhook"
	DB_PRIVATE=''
	database_leave_old
	if [[ ${DATABASE_URL-} == "$private" ]] || database_is_unnamed; then
		unset "${!PG@}"
		DB_PRIVATE=yes
		export DATABASE_URL=$private
	fi
	conninfo_find || fail 2 "$REASON"
}

# The .env of the replaced service names a server "db", which is one of its own compose project: no server that existed before.  It
# is recognised by that name and by other settings of that service in the same file; a variable of the environment counts.
database_leave_old() {
	local name
	[[ -n $OLD_NAMES && ${POSTGRES_HOST-} == db && "$FILE_NAMES " == *' POSTGRES_HOST '* ]] || return 0
	for name in POSTGRES_HOST POSTGRES_PORT POSTGRES_DB POSTGRES_USER POSTGRES_PASSWORD; do
		[[ -z ${!name-} ]] || OLD_NAMES+=" $name"
	done
	unset POSTGRES_HOST POSTGRES_PORT POSTGRES_DB POSTGRES_USER POSTGRES_PASSWORD
}

# The C programs follow the same rule: without POSTGRES_HOST there is no other server.  If only other POSTGRES_ settings
# are set, that is a mistake: the data must not go to a database where the operator does not expect it.
database_is_unnamed() {
	local name
	[[ -z ${DATABASE_URL-}${POSTGRES_HOST-} ]] || return 1
	for name in POSTGRES_PORT POSTGRES_DB POSTGRES_USER POSTGRES_PASSWORD; do
		[[ -z ${!name-} ]] || fail 2 "$name is set, but POSTGRES_HOST is not; unset it, or name the server"
	done
}

# The memory available, in MB: that of the machine, or the limit of the container if it is lower.
memory_mb() {
	local kb limit=max
	kb=$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)
	is_number "$kb" || kb=0
	[[ ! -r /sys/fs/cgroup/memory.max ]] || limit=$(</sys/fs/cgroup/memory.max)
	if is_number "$limit" && ((limit / 1024 < kb)); then
		kb=$((limit / 1024))
	fi
	echo $((kb / 1024))
}

database_conf() {
	local memory quarter free_mb wal=4GB wal_least=1GB text
	memory=$(memory_mb)
	is_number "$memory" || memory=0
	quarter=$((memory / 4))
	((quarter < 2048)) || quarter=2048
	((quarter > 16)) || quarter=16
	free_mb=$(df -m --output=avail -- "$STATE/pg" | tr -dc 0-9)
	if ! is_number "$free_mb" || ((free_mb < 16384)); then
		wal=1GB wal_least=256MB
	fi
	text=$(<"$HERE/ops/postgresql.conf.in")
	text=${text//@SOCKETS@/"$RUN/pg"}
	text=${text//@SHARED_BUFFERS@/"$quarter"}
	text=${text//@MAX_WAL_SIZE@/"$wal"}
	text=${text//@MIN_WAL_SIZE@/"$wal_least"}
	printf '%s\n' "$text" | database_write payhook.conf
	database_access
}

# database_write FILE - writes standard input to a file of the cluster, as the cluster's user: there a link may lead anywhere.
database_write() {
	# shellcheck disable=SC2016
	"${AS_DB[@]}" sh -c 'umask 077 && rm -f -- "$1.new" && cat >"$1.new" && mv -fT -- "$1.new" "$1"' sh "$STATE/pg/$1" 9>&- ||
		fail 1 "$STATE/pg/$1 cannot be written"
}

# The version of PostgreSQL that made the cluster.
database_version() {
	"${AS_DB[@]}" head -c 16 -- "$STATE/pg/PG_VERSION" 2>/dev/null </dev/null || true
}

# Peer authentication, without passwords: the kernel reports the user of a connection.  The cluster's user and root may
# connect in any role, the users of the responders, the worker and the console in one each, which has just the rights it needs.  "all" does not
# include replication, which pg_basebackup needs.
database_access() {
	local user me
	me=$(id -un)
	printf 'local %s all peer map=payhook\n' all replication | database_write pg_hba.conf
	{
		printf '# map system-user database-role\n'
		for user in "$me" ${APP_USER:+postgres}; do
			printf "payhook \"$user\" %s\n" postgres payhook payhook_app payhook_worker payhook_operator payhook_console
		done
		[[ -z $APP_USER ]] || printf 'payhook %s %s\n' "$APP_USER" payhook_app "$WORKER_USER" payhook_worker \
			"$CONSOLE_USER" payhook_console
	} | database_write pg_ident.conf
}

# Whether this user can connect to the existing server, with the worker's variables.
database_admits() {
	environment_of_worker
	ENVIRONMENT+=("PGCONNECT_TIMEOUT=5")
	with_environment apart "${BARE[@]}" --reuid="$1" --regid="$1" --init-groups -- timeout 10 psql -X -d "$CONNINFO" -c '' >/dev/null 2>&1 </dev/null 9>&-
}

# An existing server may know the programs by their user (peer authentication, a key file), which was payhook for all of them
# before the worker had a user of its own.
database_find_worker_user() {
	[[ -n $WORKER_USER && -z $DB_PRIVATE ]] || return 0
	! database_admits "$WORKER_USER" || return 0
	! database_admits "$APP_USER" || {
		info "the database admits the user $APP_USER, but not $WORKER_USER: the worker runs as $APP_USER"
		WORKER_USER=$APP_USER
	}
}

# The same for the console.
database_find_console_user() {
	[[ -n $CONSOLE_USER && -z $DB_PRIVATE ]] && console_is_on || return 0
	! database_admits "$CONSOLE_USER" || return 0
	! database_admits "$APP_USER" || {
		info "the database admits the user $APP_USER, but not $CONSOLE_USER: the console runs as $APP_USER"
		CONSOLE_USER=$APP_USER
	}
}

# database_init FOLDER - makes a cluster with the programs in PGBIN.  The folder and the one around it are made by root, so the
# cluster's user cannot put a link in its place.  initdb has flushed its files, but not what is appended to them here.
database_init() {
	local log=$STATE/initdb.log
	mkdir -m 700 -- "$1"
	[[ -z $APP_USER ]] || chown postgres: -- "$1"
	if ! "${AS_DB[@]}" "$PGBIN/initdb" -D "$1" -U postgres -A peer --encoding=UTF8 --locale=C.UTF-8 \
		--data-checksums --no-instructions >"$log" 2>&1 </dev/null 9>&-; then
		tail -n 20 -- "$log" | printable >&2
		fail 1 "initdb failed"
	fi
	rm -f -- "$log"
	# shellcheck disable=SC2016
	"${AS_DB[@]}" sh -ec 'cd -- "$1"
		printf "include '\''payhook.conf'\''\ninclude_if_exists '\''local.conf'\''\n" >>postgresql.conf
		printf "# Settings of your own; they have the last word.\n" >local.conf
		sync -- postgresql.conf local.conf .' sh "$1" 9>&- || fail 1 "$1 cannot be written"
}

# Creates the cluster under another name and renames it when it is complete and flushed, so a half-made cluster is never
# used, whatever a power cut leaves.
database_create() {
	local version
	version=$(postgres_newest postgres initdb)
	[[ -n $version ]] || fail 1 "there is no server of PostgreSQL in $POSTGRES_FOLDERS: package postgresql"
	PGBIN=$POSTGRES_FOLDERS/$version/bin
	info "creating a cluster of PostgreSQL $version in $STATE/pg"
	rm -rf -- "$STATE/pg.new"
	database_init "$STATE/pg.new"
	mv -T -- "$STATE/pg.new" "$STATE/pg"
	sync -- "$STATE"
}

database_prepare() {
	database_sockets_make
	upgrade_settle
	[[ -s $STATE/pg/PG_VERSION ]] || database_create
	database_programs
	database_unlock
	database_conf
	database_allow_huge_pages
}

database_sockets_make() {
	mkdir -p -- "$RUN/pg"
	if [[ -n $APP_USER ]]; then
		chown postgres:payhook-db -- "$RUN/pg"
	fi
	chmod 750 -- "$RUN/pg"
}

# Sets PGBIN to the programs of the version that made the cluster: no other can read it.
database_programs() {
	local version newest
	version=$(database_version)
	is_number "$version" || fail 1 "$STATE/pg was made by no version of PostgreSQL that is known"
	newest=$(postgres_newest postgres)
	PGBIN=$POSTGRES_FOLDERS/$version/bin
	if [[ ! -x $PGBIN/postgres ]]; then
		[[ -z $newest ]] || newest=", not $newest; with both, ./payhook upgrade-database moves the data to the newer one"
		fail 1 "$STATE/pg was made by PostgreSQL $version: install package postgresql-$version$newest"
	fi
	[[ $newest == "$version" ]] ||
		info "the database is of PostgreSQL $version, and $newest is installed: to move to it, ./payhook down, then ./payhook upgrade-database"
}

# database_section - prints the section of packages.txt that the cluster needs, which names one version: none if the cluster was
# made by another, or if it is to be made and there is a server.
database_section() {
	case $(database_version) in
	'') [[ ! -e $STATE/pg && -n $(postgres_newest postgres initdb) ]] || echo database ;;
	15) echo database ;;
	esac
}

# PostgreSQL tries to use huge pages (huge_pages = try), which make random reads faster: fewer page table entries are
# looked up.  The kernel lends only as many as root allows, by default none.  An allowance costs nothing until it is
# used, and the pages are returned when PostgreSQL ends.  No allowance is made if the pages would exceed a third of the
# available memory.
database_allow_huge_pages() {
	local allowed=/proc/sys/vm/nr_overcommit_hugepages pages most used now
	[[ -w $allowed ]] || return 0
	[[ $("${AS_DB[@]}" "$PGBIN/postgres" -D "$STATE/pg" -C huge_pages 2>/dev/null) == try ]] || return 0
	pages=$("${AS_DB[@]}" "$PGBIN/postgres" -D "$STATE/pg" -C shared_memory_size_in_huge_pages 2>/dev/null) || return 0
	most=$(awk '/^MemAvailable:/ { free = $2 } /^Hugepagesize:/ { print int(free / 3 / $2) }' /proc/meminfo)
	used=$(awk '/^HugePages_Surp:/ { print $2 }' /proc/meminfo)
	now=$(<"$allowed")
	# The cluster's superuser decides what PostgreSQL prints.
	is_number "$pages" "$most" "$used" "$now" || return 0
	((pages > 0 && pages <= most && pages + used > now)) || return 0
	if { echo "$((pages + used))" >"$allowed"; } 2>/dev/null; then
		info "allowing PostgreSQL huge pages: vm.nr_overcommit_hugepages = $((pages + used)) until the machine restarts"
	fi
}

# PostgreSQL refuses to start if the pid in its old pid file belongs to a process of its user now, or to a zombie that
# the first process of a container does not reap.  The file is removed if no process works in the cluster's directory.
database_unlock() {
	local folder
	for folder in /proc/[0-9]*; do
		[[ ! $folder/cwd -ef $STATE/pg ]] || return 0
	done
	"${AS_DB[@]}" rm -f -- "$STATE/pg/postmaster.pid" "$RUN"/pg/.s.PGSQL.*
}

# The postmaster writes into its pid file when it accepts connections.
database_is_ready() {
	local -a line
	mapfile -t line < <("${AS_DB[@]}" timeout 2 head -c 4096 -- "$STATE/pg/postmaster.pid" 2>/dev/null </dev/null)
	record_read postgres && [[ ${line[7]-} == ready* && ${line[0]-} == "$R_PID" ]]
}

database_roles() {
	PGOPTIONS='-c client_min_messages=warning' printable_errors psql -X -q -At -v ON_ERROR_STOP=1 -d "host=$RUN/pg port=5432 user=postgres dbname=postgres" >/dev/null <<-'SQL'
		SELECT format('CREATE ROLE %I LOGIN', name)
		FROM unnest('{payhook,payhook_app,payhook_worker,payhook_operator,payhook_console}'::text[]) name
		WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
		GRANT pg_read_all_stats TO payhook, payhook_worker, payhook_operator;
		GRANT pg_signal_backend TO payhook, payhook_operator;
		SELECT 'CREATE DATABASE payhook OWNER payhook TEMPLATE template0'
		WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'payhook') \gexec
	SQL
}

database_migrate() {
	DATABASE_URL=$CONNINFO "$HERE/schema/migrate" 9>&-
}
