# shellcheck shell=bash disable=SC2034
# The versions of PostgreSQL on this machine.  Debian keeps the programs of each major version in a folder of their own, and
# /usr/bin has a wrapper that starts one of them, not always the newest.

# shellcheck source=ops/number.sh
source "${BASH_SOURCE[0]%/*}/number.sh"
# shellcheck source=ops/printable.sh
source "${BASH_SOURCE[0]%/*}/printable.sh"

POSTGRES_FOLDERS=/usr/lib/postgresql

# postgres_versions PROGRAM... - prints the major versions that have all these programs, the newest first.
postgres_versions() {
	local folder version program
	for folder in "$POSTGRES_FOLDERS"/*/bin; do
		version=${folder%/bin}
		version=${version##*/}
		is_number "$version" || continue
		for program in "$@"; do
			[[ -x $folder/$program ]] || continue 2
		done
		printf '%s\n' "$version"
	done | sort -rn
}

# postgres_newest PROGRAM... - prints the newest of these versions; nothing if there is none.
postgres_newest() {
	local -a versions
	mapfile -t versions < <(postgres_versions "$@")
	printf '%s\n' "${versions[0]-}"
}

# postgres_client PROGRAM - sets CLIENT to the newest program of this name, and CLIENT_VERSION.
postgres_client() {
	CLIENT_VERSION=$(postgres_newest "$1")
	is_number "$CLIENT_VERSION" || fail 1 "$1 is missing: package postgresql-client"
	CLIENT=$POSTGRES_FOLDERS/$CLIENT_VERSION/bin/$1
}

# postgres_server - sets SERVER_VERSION to the major version of the server at CONNINFO.
postgres_server() {
	local number
	number=$(printable_errors psql -X -q -At -d "$CONNINFO" -c 'SHOW server_version_num') || fail 1 "no connection to the database"
	is_number "$number" || fail 1 "the server's version is not a number: $(printable_start "$number")"
	SERVER_VERSION=$((number / 10000))
}
