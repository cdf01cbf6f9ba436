# shellcheck shell=bash disable=SC2034
# The connection string of the database, from the settings, and its password.

# The settings whose value may be in a file, named by NAME_FILE.
FILED=(DATABASE_URL POSTGRES_USER POSTGRES_PASSWORD PROCESSOR_CLIENT_SECRET)

# filed_take - sets these settings from their files.  On failure sets REASON, which does not contain the value.
filed_take() {
	local name file value
	local -a lines
	for name in "${FILED[@]}"; do
		file=${name}_FILE
		file=${!file-}
		unset "${name}_FILE"
		[[ -n $file ]] || continue
		REASON="$name and ${name}_FILE are both set; set only one"
		[[ -z ${!name-} ]] || return 1
		REASON="${name}_FILE=$file: the file cannot be read"
		{ mapfile -t lines <"$file"; } 2>/dev/null || return 1
		REASON="${name}_FILE=$file: the file has more than one line"
		((${#lines[@]} <= 1)) || return 1
		value=${lines[0]-}
		REASON="${name}_FILE=$file: it begins with a byte order mark, which an editor has written: save it as plain text without one"
		[[ $value != $'\xef\xbb\xbf'* && $value != $'\xff\xfe'* && $value != $'\xfe\xff'* ]] || return 1
		REASON="${name}_FILE=$file: the file is empty"
		value=${value%$'\r'}
		[[ -n $value ]] || return 1
		export "$name=$value"
	done
}

# conninfo_part NAME VALUE - prints a keyword with its value in libpq's quotes.
conninfo_part() {
	local value=${2//\\/\\\\}
	printf "%s='%s' " "$1" "${value//\'/\\\'}"
}

# Sets CONNINFO, empty if the settings name no server.  A password is set as PGPASSWORD.  On failure sets REASON.
conninfo_find() {
	CONNINFO=${DATABASE_URL-}
	if [[ -z $CONNINFO && -n ${POSTGRES_HOST-} ]]; then
		CONNINFO=$(conninfo_part host "$POSTGRES_HOST"
			conninfo_part port "${POSTGRES_PORT:-5432}"
			conninfo_part dbname "${POSTGRES_DB:-payhook}"
			conninfo_part user "${POSTGRES_USER:-payhook}")
		[[ -z ${POSTGRES_PASSWORD-} ]] || export PGPASSWORD=$POSTGRES_PASSWORD
	fi
	conninfo_hide_passwords
}

# Every user of the machine can read a program's arguments, so these must not contain a password.

# conninfo_hide_passwords - moves the passwords from CONNINFO to places that libpq reads too: password to PGPASSWORD, and
# sslpassword, for which there is no variable, to a service file that only its descriptor leads to.  Of repeated ones the last
# counts, as for libpq.  On failure sets REASON, which contains no password.
conninfo_hide_passwords() {
	local LC_ALL=C SSLPASSWORD='' SERVICE='' DECODED='' KEPT=''
	REASON="the connection string of the database is not valid"
	if [[ $CONNINFO =~ ^(postgres(ql)?://)(.*)$ ]]; then
		conninfo_hide_uri "${BASH_REMATCH[1]}" "${BASH_REMATCH[3]}"
	elif [[ $CONNINFO == *=* ]]; then
		conninfo_hide_keywords "$CONNINFO" || return 1
	fi
	[[ -n $SSLPASSWORD ]] || return 0
	REASON="sslpassword in the connection string: it cannot be combined with a service; put it into the service's file"
	[[ -z $SERVICE${PGSERVICE-} ]] || return 1
	conninfo_service
}

# conninfo_takes NAME VALUE - whether this is a password, which is then taken.
conninfo_takes() {
	case $1 in
	password) export PGPASSWORD=$2 ;;
	sslpassword) SSLPASSWORD=$2 ;;
	service) SERVICE=$2 && return 1 ;;
	*) return 1 ;;
	esac
}

# conninfo_decode TEXT - sets DECODED: %41 is A.
conninfo_decode() {
	local text=${1//\\/\\\\}
	printf -v DECODED '%b' "${text//[%]/\\x}"
}

# conninfo_hide_uri SCHEME REST - the user information ends at the first "@", if that comes before a "/".
conninfo_hide_uri() {
	local rest=$2 before=${2%%/*} user='' query='' parameter name
	if [[ $before == *@* ]]; then
		user=${before%%@*}@
		rest=${rest#*@}
	fi
	if [[ $user == *:* ]]; then
		conninfo_decode "${user#*:}"
		[[ $DECODED == @ ]] || export PGPASSWORD=${DECODED%@}
		user=${user%%:*}@
	fi
	[[ $rest != *\?* ]] || query=${rest#*\?}
	while [[ -n $query ]]; do
		parameter=${query%%&*}
		query=${query:${#parameter}}
		query=${query#&}
		conninfo_decode "${parameter%%=*}"
		name=$DECODED
		conninfo_decode "${parameter#*=}"
		conninfo_takes "$name" "$DECODED" || KEPT+=${KEPT:+&}$parameter
	done
	CONNINFO=$1$user${rest%%\?*}${KEPT:+?$KEPT}
}

# conninfo_hide_keywords TEXT - NAME = VALUE, where the value may be in quotes, and a backslash escapes a character.
conninfo_hide_keywords() {
	local rest=$1 text name value
	local plain="(([^'[:space:]\\\\]|\\\\.)([^[:space:]\\\\]|\\\\.)*)?"
	local one="^([[:space:]]*([^=[:space:]]+)[[:space:]]*=[[:space:]]*('(([^'\\\\]|\\\\.)*)'|$plain))(.*)$"
	while [[ $rest == *[![:space:]]* ]]; do
		[[ $rest =~ $one ]] || return 1
		text=${BASH_REMATCH[1]} name=${BASH_REMATCH[2]} value=${BASH_REMATCH[4]}${BASH_REMATCH[6]} rest=${BASH_REMATCH[9]}
		[[ -z $rest || $rest == [[:space:]]* || $text == *\' ]] || return 1
		# shellcheck disable=SC2001
		[[ $value != *\\* ]] || value=$(sed 's/\\\(.\)/\1/g' <<<"$value")
		conninfo_takes "$name" "$value" || KEPT+=$text
	done
	KEPT=${KEPT#"${KEPT%%[![:space:]]*}"}
	CONNINFO=$KEPT
}

# Adds a service to CONNINFO that has SSLPASSWORD.  The file has no name any more, and can be read again and again through the
# descriptor, which programs inherit.
conninfo_service() {
	local file
	file=$(umask 077 && mktemp) || return 1
	printf '[payhook]\nsslpassword=%s\n' "$SSLPASSWORD" >"$file"
	exec {CONNINFO_SERVICE}<"$file"
	rm -f -- "$file"
	export PGSERVICEFILE=/proc/self/fd/$CONNINFO_SERVICE
	case $CONNINFO in
	*://*\?*) CONNINFO+='&service=payhook' ;;
	*://*) CONNINFO+='?service=payhook' ;;
	*) CONNINFO+=' service=payhook' ;;
	esac
}
