# shellcheck shell=bash disable=SC2034
# Settings from the environment and the .env file, and the folders that follow from them.

# shellcheck source=ops/settings_table.sh
source "${BASH_SOURCE[0]%/*}/settings_table.sh"

# To whoever started us; a supervisor's words also go to its log.
say() {
	printf 'payhook: %s\n' "$*" 2>/dev/null || true
	say_log "$@"
}

say_log() {
	[[ -z ${SAY_LOG-} ]] || printf '%(%FT%TZ)T %s\n' -1 "$*" >>"$SAY_LOG" || true
}

# fail STATUS TEXT: 1 something went wrong, 2 the caller asked for something that cannot be.
fail() {
	local status=$1
	shift
	printf 'payhook: %s\n' "$*" >&2 || true
	say_log "$@"
	exit "$status"
}

# setting_find NAME: sets KIND, RANGE, DEFAULT, READERS and MEANING from the table.  NAME_FILE of a secret is a path.
setting_find() {
	local line
	for line in "${SETTINGS[@]}"; do
		if [[ $line == "$1|"* ]]; then
			IFS='|' read -r _ KIND RANGE DEFAULT READERS MEANING <<<"$line"
			return 0
		fi
		if [[ $line == "${1%_FILE}|secret|"* ]]; then
			KIND=path RANGE='' DEFAULT='' READERS='' MEANING=''
			return 0
		fi
	done
	return 1
}

# env_take NAME VALUE FOLDER, after setting_find: a path that the file gives is relative to the folder of that file.
env_take() {
	local name=$1 value=$2 folder=$3
	if [[ $KIND == path && -n $value && $value != /* ]]; then
		value=$folder/$value
	fi
	if [[ -z ${!name+set} ]]; then
		export "$name=$value"
	fi
}

# One line NAME=value.  The value is taken as it stands, nothing in it is expanded; quotes around it are removed, and
# without quotes it ends before " #".
env_line() {
	local line=$1 where=$2 folder=$3 name value KIND RANGE DEFAULT READERS MEANING
	line=${line%$'\r'}
	line="${line#"${line%%[![:space:]]*}"}"
	line="${line%"${line##*[![:space:]]}"}"
	[[ -n $line && $line != '#'* ]] || return 0
	[[ $line =~ ^([A-Za-z_][A-Za-z0-9_]*)=(.*)$ ]] || fail 2 "$where: not NAME=value"
	name=${BASH_REMATCH[1]} value=${BASH_REMATCH[2]}
	setting_find "$name" || fail 2 "$where: $name is not a setting of payhook"
	if [[ $value =~ ^\"([^\"]*)\"([[:space:]]+#.*)?$ || $value =~ ^\'([^\']*)\'([[:space:]]+#.*)?$ ]]; then
		value=${BASH_REMATCH[1]}
	elif [[ $value == [\"\']* ]]; then
		fail 2 "$where: $name has a quote without its pair"
	else
		value=${value%%[[:space:]]#*}
		value="${value%"${value##*[![:space:]]}"}"
	fi
	env_take "$name" "$value" "$folder"
}

env_file_read() {
	local file=${PAYHOOK_ENV_FILE:-$HERE/.env} line number=0
	if [[ ! -e $file ]]; then
		[[ -z ${PAYHOOK_ENV_FILE-} ]] || fail 2 "PAYHOOK_ENV_FILE=$file: there is no such file"
		return 0
	fi
	[[ -r $file ]] || fail 2 "$file: cannot be read"
	local folder
	folder=$(cd -- "$(dirname -- "$file")" && pwd)
	while IFS= read -r line || [[ -n $line ]]; do
		number=$((number + 1))
		env_line "$line" "$file line $number" "$folder"
	done <"$file"
}

# Each of these checks the value of the setting NAME by its range or choices in the table.

# number_check NAME "LEAST MOST": the value is digits before it is used in arithmetic.
number_check() {
	local value=${!1} least=${2% *} most=${2#* }
	if [[ ! $value =~ ^[0-9]{1,9}$ ]] || ((10#$value < least || 10#$value > most)); then
		fail 2 "$1=$value: must be a whole number from $least to $most"
	fi
}

# choice_check NAME "WORD..."
choice_check() {
	local value=${!1} word
	for word in $2; do
		[[ $value != "$word" ]] || return 0
	done
	fail 2 "$1=$value: must be one of: $2"
}

# networks_check NAME: as lib/network.c reads them.
networks_check() {
	local bad
	bad=$(perl -MSocket=:all -e '
		for my $item (grep { length } split /[, ]+/, $ARGV[0]) {
			my ($address, $bits) = split m{/}, $item, 2;
			my $most = defined inet_pton(AF_INET, $address) ? 32 : defined inet_pton(AF_INET6, $address) ? 128 : 0;
			next if $most && (!defined $bits || ($bits =~ /\A[0-9]{1,3}\z/ && $bits <= $most));
			print $item;
			exit 1;
		}
	' -- "${!1}") || fail 2 "$1: \"$bad\" is neither an address nor a network such as 10.0.0.0/8"
}

# settings_check READER...: the settings that one of these reads, as far as they are set.  What only the C programs read
# is checked by them.
settings_check() {
	local line name reader KIND RANGE READERS
	for line in "${SETTINGS[@]}"; do
		IFS='|' read -r name KIND RANGE _ READERS _ <<<"$line"
		[[ -n ${!name-} ]] || continue
		for reader in "$@"; do
			[[ " $READERS " == *" $reader "* ]] || continue
			case $KIND in
			number | choice | networks) "${KIND}_check" "$name" "$RANGE" ;;
			esac
			break
		done
	done
}

# Sets TLS_PORT, empty where there is none.
tls_settings_check() {
	local name
	TLS_PORT=$((10#${TLS_PORT:-0}))
	[[ $TLS_PORT != "$PAYHOOK_PORT" ]] || fail 2 "TLS_PORT=$TLS_PORT: that is PAYHOOK_PORT too"
	[[ $TLS_PORT != 0 ]] || TLS_PORT=''
	for name in TLS_CERTIFICATE TLS_KEY TLS_CLIENT_CA; do
		[[ -n ${!name-} ]] || continue
		[[ -n $TLS_PORT ]] || fail 2 "$name=${!name}: it has no use without TLS_PORT"
		# The programs and nginx are started from other folders.
		printf -v "$name" %s "$(realpath -ms -- "${!name}")"
	done
	[[ -n ${TLS_CERTIFICATE-} || -z ${TLS_KEY-} ]] || fail 2 "TLS_KEY=$TLS_KEY: it wants its TLS_CERTIFICATE"
	[[ -n ${TLS_KEY-} || -z ${TLS_CERTIFICATE-} ]] || fail 2 "TLS_CERTIFICATE=$TLS_CERTIFICATE: it wants its TLS_KEY"
}

settings_read() {
	local line name
	env_file_read
	secrets_take || fail 2 "$REASON"
	for line in "${SETTINGS[@]}"; do
		name=${line%%|*}
		# Set but empty means not set, for the programs too.
		if [[ -n ${!name-} ]]; then
			export "${name?}"
		else
			unset "$name"
		fi
	done
	[[ ${PAYHOOK_PORT:-0} != 0 ]] || export PAYHOOK_PORT=$((EUID == 0 ? 80 : 8080))
	settings_check shell pool nginx
	PAYHOOK_PORT=$((10#$PAYHOOK_PORT))
	# The programs are started from another folder.
	[[ -z ${API_KEYS_FILE-} ]] || API_KEYS_FILE=$(realpath -ms -- "$API_KEYS_FILE")
	[[ -z ${SOURCES_FILE-} ]] || SOURCES_FILE=$(realpath -ms -- "$SOURCES_FILE")
	tls_settings_check
	# What libfcgi reads from the environment is ours to decide, not the caller's.
	unset "${!LIBFCGI_@}"
}

# VAR is what PAYHOOK_VAR says.  RUN is a short path for sockets (at most 107 bytes) and the records of processes; it
# follows from VAR alone, so that every command finds it.  Not under $XDG_RUNTIME_DIR, which goes when its user logs
# out while "up -d" runs on.
folders_find() {
	VAR=$(realpath -m -- "${PAYHOOK_VAR:-$HERE/var}")
	BUILD=$(realpath -m -- "${PAYHOOK_BUILD:-$HERE/build}")
	export PAYHOOK_VAR=$VAR
	HASH=$(printf '%s' "$VAR" | sha256sum)
	HASH=${HASH:0:12}
	# No part ever gains a privilege: by a file's owner, by its capabilities, or by some that were handed down.
	BARE=(setpriv --no-new-privs --inh-caps=-all)
	AS_DB=("${BARE[@]}" --) AS_APP=("${BARE[@]}" --) APP_USER=
	RUN=/tmp/payhook-$EUID-$HASH
	if [[ $EUID -eq 0 ]]; then
		RUN=/run/payhook/$HASH
		APP_USER=payhook
		AS_DB=("${BARE[@]}" --reuid=postgres --regid=postgres --init-groups --)
		AS_APP=("${BARE[@]}" --reuid=payhook --regid=payhook --init-groups --)
	fi
	STATE=$VAR
	if [[ -L $VAR/elsewhere ]]; then
		STATE=$(readlink -- "$VAR/elsewhere")
	fi
}

folder_make() {
	local error
	[[ ! -d $1 ]] || return 0
	error=$( (mkdir -p -- "$1" && chmod "$2" -- "$1") 2>&1) || fail 1 "$3: the folder cannot be made: ${error##*: }"
}

run_folder_make() {
	if [[ $EUID -eq 0 ]]; then
		folder_make /run/payhook 755 /run/payhook
		folder_make "$RUN" 755 "$RUN"
		return
	fi
	folder_make "$RUN" 700 "$RUN"
	# /tmp is everybody's: a folder by that name which is not ours would be a trap.
	[[ -O $RUN && ! -L $RUN ]] || fail 1 "$RUN belongs to another user"
	chmod 700 -- "$RUN"
}

# Users other than root run the database and the programs; where the state folder is closed to them, the data lies in
# /var/lib/payhook, and the symlink "elsewhere" in the state folder says so.
state_folder_make() {
	local user
	folder_make "$VAR" 755 "PAYHOOK_VAR=$VAR"
	[[ -w $VAR ]] || fail 1 "PAYHOOK_VAR=$VAR: the folder cannot be written to"
	if [[ $EUID -eq 0 && $STATE == "$VAR" ]]; then
		for user in postgres payhook; do
			setpriv --reuid="$user" --regid="$user" --init-groups -- test -x "$VAR" 2>/dev/null && continue
			[[ ! -e $VAR/pg ]] || fail 1 "$VAR/pg holds data, but user $user can no longer enter $VAR"
			STATE=/var/lib/payhook/$HASH
			ln -s -- "$STATE" "$VAR/elsewhere"
			break
		done
	fi
	if [[ $STATE != "$VAR" ]]; then
		folder_make "$STATE" 755 "$STATE"
		say "other users cannot enter $VAR; the data lies in $STATE"
	fi
	mkdir -p -- "$STATE"/{bin,log,nginx}
	# What is logged is for the operator's eyes.
	chmod 750 -- "$STATE/log"
}
