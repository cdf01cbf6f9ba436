#!/bin/bash
# test_verify.sh - "payhook-ctl verify" and headers that come several times; prints TAP.
set -euo pipefail

HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../.." && pwd)
# shellcheck source=tests/support/tap.sh
source "$HERE/tests/support/tap.sh"
tap_folder verify
BUILD=${PAYHOOK_BUILD:-$HERE/build}
STRIPE=$HERE/docs/sources/stripe

# verify - judges the request on standard input, at the time of the example; the output is in $DIR/out.
verify() {
	DATABASE_URL=postgresql:///nowhere SOURCES_FILE=$STRIPE/sources.json \
		"$BUILD/ctl/payhook-ctl" verify stripe --at 2026-02-19T12:00:00Z >"$DIR/out" 2>&1
}

# twice HEADER - prints the example with one more header of this name, first.
twice() {
	sed "1a $1: other" "$STRIPE/request.http"
}

the_example_verifies() {
	verify <"$STRIPE/request.http"
	grep -q '^verdict    it verifies$' "$DIR/out"
}

a_header_that_is_read_is_refused() {
	local header
	for header in stripe-signature Content-Type content-encoding Content-Length; do
		twice "$header" >"$DIR/request"
		[[ $header != content-encoding ]] || sed -i '1a Content-Encoding: gzip' "$DIR/request"
		[[ $(verify <"$DIR/request"; echo $?) == 2 ]] || return 1
		grep -qi "it has the header $header several times" "$DIR/out" || return 1
	done
}

another_header_may_be_repeated() {
	{
		head -n 1 "$STRIPE/request.http"
		printf 'X-Forwarded-For: 192.0.2.1\nX-Forwarded-For: 192.0.2.2\n'
		tail -n +2 "$STRIPE/request.http"
	} >"$DIR/request"
	verify <"$DIR/request"
	grep -q '^verdict    it verifies$' "$DIR/out"
}

check "the example verifies" the_example_verifies
check "a request with several of a header that is read is refused" a_header_that_is_read_is_refused
check "a header that is not read may come several times" another_header_may_be_repeated
finish
