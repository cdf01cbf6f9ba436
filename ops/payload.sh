# shellcheck shell=bash
# Kept requests; of ./payhook and of the package's command.

# verify_transaction COMMAND SOURCE --transaction ID - verifies the request that brought the transaction, as of its time.  One
# process reads the database and no secret, the other the secrets and no database: they may be of different users.  Returns
# the status of the first that fails; 141 means that the second ended before it had read all.
verify_transaction() {
	local -a status=(0 0)
	[[ $# -eq 4 ]] || fail 2 "usage: verify SOURCE --transaction ID"
	"$1" payload "$4" --source "$2" | "$1" verify "$2" --kept || status=("${PIPESTATUS[@]}")
	[[ ${status[0]} == 0 || ${status[0]} == 141 ]] || return "${status[0]}"
	return "${status[1]}"
}

# remap_from COMMAND [ARGUMENT...] - maps kept webhooks again.  One process reads the list of sources, the other writes to the
# database: they may be of different users, as above.
remap_from() {
	local -a status=(0 0)
	"$1" sources-list | "$1" remap --sources - "${@:2}" || status=("${PIPESTATUS[@]}")
	[[ ${status[0]} == 0 ]] || return "${status[0]}"
	return "${status[1]}"
}
