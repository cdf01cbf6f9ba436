#!/bin/bash
# upgrade.sh - upgrades the Debian package from the version before as an operator's automation does, without a terminal, with
# edited files and under load; makes the upgrade fail at each of its steps; and goes back.  Prints TAP.
# shellcheck disable=SC2016
set -uo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/support/tap.sh
source "$ROOT/tests/support/tap.sh"
# shellcheck source=tests/deploy/trees.sh
source "$ROOT/tests/deploy/trees.sh"
# shellcheck source=tests/deploy/box.sh
source "$ROOT/tests/deploy/box.sh"
# shellcheck source=tests/deploy/installed.sh
source "$ROOT/tests/deploy/installed.sh"
deadline 720 "$@"

# The last commit with conffiles in its package.  A later version to upgrade from has its own questions: add it, keep this one.
BEFORE=dfdef396c58930080c48d558ef4f8201a4a0ed23
BOX=$(mktemp -d /tmp/payhook-upgrade.XXXXXX)
DIR=$BOX
CACHE=$ROOT/var/deploy
ACCEPTED=$BOX/accepted
: >"$ACCEPTED"
EDITED=(/etc/payhook/payhook.env /etc/payhook/logrotate.conf /etc/nginx/sites-available/payhook)
export PAYHOOK_BUILD=${PAYHOOK_BUILD:-$ROOT/build}

clean_up() {
	trap '' TERM INT HUP
	[[ -z ${SENDER-} ]] || kill -KILL "$SENDER" 2>/dev/null
	box_stop
	rm -rf --one-file-system -- "$BOX"
}
trap clean_up EXIT

# ---- the packages ----

# The package of the version before, built by that version.
build_before() {
	local file=$CACHE/payhook-$BEFORE.deb tree status=0
	if [[ ! -s $file ]]; then
		mkdir -p "$CACHE" && tree=$(mktemp -d "$CACHE/before.XXXXXX") && chmod 755 "$tree" || return
		{
			git -c "safe.directory=$ROOT" -C "$ROOT" archive "$BEFORE" | tar -C "$tree" -x &&
				PAYHOOK_BUILD='' "$tree/payhook" deb && mv "$tree"/build/deb/payhook_*.deb "$file"
		} || status=1
		rm -rf -- "$tree"
	fi
	((status == 0)) && cp "$file" "$BOX/before.deb"
}

# broken_package - makes BOX/broken.deb of BOX/payhook.deb: a later version with a migration that fails.
broken_package() {
	local tree=$BOX/broken migrations=$BOX/broken-migrations
	dpkg-deb -R "$BOX/payhook.deb" "$tree" && mkdir "$migrations" || return
	sed -n '/<<.END. | tar/,/^END$/p' "$tree/DEBIAN/preinst" | sed '1d;$d' | base64 -d | tar -xz -C "$migrations" || return
	echo 'SELECT 1 / 0;' >"$migrations/schema/9999_broken.sql"
	cp "$migrations/schema/9999_broken.sql" "$tree/usr/share/payhook/schema/"
	tar -C "$migrations" -cz schema ops | base64 >"$BOX/archive"
	sed -i -e "/<<.END. | tar/r $BOX/archive" -e '/<<.END. | tar/,/^END$/{/<<.END. | tar/b;/^END$/b;d}' "$tree/DEBIAN/preinst"
	sed -i 's/^Version: .*/&.broken/' "$tree/DEBIAN/control"
	dpkg-deb --root-owner-group -b "$tree" "$BOX/broken.deb"
}

version_of() {
	dpkg-deb -f "$1" Version
}

versions_are_sorted() {
	local version
	version=$(version_of "$BOX/payhook.deb")
	[[ $version =~ ^0\.1\.0\+git[0-9]{8}\.[0-9]{6}\.[0-9a-f]{12}(\.changed)?$ ]] || { echo "$version" && return 1; }
	dpkg --compare-versions "$version" gt "$(version_of "$BOX/before.deb")"
}

# What the package has, besides programs and services, for operators.
package_is_complete() {
	local tree=$BOX/complete page target file
	dpkg-deb -x "$BOX/payhook.deb" "$tree" || return
	[[ ! -e $tree/etc ]] || { find "$tree/etc" && return 1; }
	for file in ops/prometheus/alerts.yml ops/prometheus/prometheus.yml ops/grafana/payhook.json openapi.yaml payhook.env \
		logrotate.conf nginx/site.conf; do
		[[ -s $tree/usr/share/payhook/$file ]] || { echo "no $file" && return 1; }
	done
	for file in docs/operations.md docs/runbook.md docs/sources/stripe/sources.json README.Debian CHANGELOG.md; do
		[[ -s $tree/usr/share/doc/payhook/$file ]] || { echo "no $file" && return 1; }
	done
	while IFS=: read -r page target; do
		target=${target#*](} target=${target%%[#)]*}
		[[ -z $target || -e ${page%/*}/$target ]] || { echo "$page: no $target" && return 1; }
	done < <(grep -roE --include='*.md' '\]\([^):]*[#)]' "$tree/usr/share/doc/payhook")
}

# ---- the version before ----

install_before() {
	cp "$BOX/before.deb" "$BOX/broken.deb" "$BOX/tree/root/"
	install_in_box /root/before.deb
}

# install_in_box FILE - as automation does: no terminal, no answers, and no options about conffiles.
install_in_box() {
	box apt-get -q install -y --no-install-recommends --allow-downgrades "$1" </dev/null
}

start() {
	box systemctl enable --now payhook.target payhook-app payhook-worker@1 || return
	await 10 ready
}

# Each file of the operator's with a change of its own.
edit() {
	local file
	sed -i -E 's/^(\t*)# (set_real_ip_from)/\1\2/' "$BOX/tree/etc/nginx/sites-available/payhook"
	for file in "${EDITED[@]}"; do
		echo '# edited by the operator' >>"$BOX/tree$file"
	done
	box nginx -t -q && box systemctl reload nginx || return
	box sha256sum "${EDITED[@]}" >"$BOX/edited"
}

files_are_as_edited() {
	box sha256sum "${EDITED[@]}" | diff "$BOX/edited" - || return
	equal "$(box find /etc/payhook /etc/nginx -name '*.dpkg-*' -o -name '*.ucf-*')" '' || return
	equal "$(box stat -c '%a %U:%G' /etc/payhook/payhook.env)" '640 root:payhook'
}

# installed FILE STATUS - that package is what is installed, with this status of dpkg's.
installed() {
	equal "$(box dpkg-query -W -f '${Version} ${db:Status-Status}' payhook)" "$(version_of "$1") $2"
}

programs() {
	box sha256sum /usr/sbin/payhook-app /usr/sbin/payhook-worker /usr/share/payhook/schema/migrate
}

# running - the responders and the worker.
running() {
	responders | sort && show payhook-worker@1 MainPID
}

# ---- upgrades that fail ----

# refused TEXT COMMAND... - the command fails with the text, and what runs goes on.
refused() {
	local before status=0
	before=$(running)
	! box "${@:2}" </dev/null >"$BOX/refused" 2>&1 || status=1
	cat "$BOX/refused"
	grep -q "$1" "$BOX/refused" || { echo "it does not print: $1" && status=1; }
	equal "$(running)" "$before" || status=1
	ready || status=1
	return "$status"
}

failing_migration_replaces_nothing() {
	local status=0 before
	before=$(programs)
	load_begin broken --again
	refused "nothing was replaced" apt-get -q install -y --no-install-recommends /root/broken.deb || status=1
	grep -q 'division by zero' "$BOX/refused" || status=1
	equal "$(programs)" "$before" || status=1
	installed "$BOX/$1" installed || status=1
	# Whatever is started now is the old version too.
	box kill -KILL "$(responders | tail -n 1)" || status=1
	box systemctl restart payhook-worker@1 || status=1
	load_end || status=1
	await 10 is payhook-migrate ActiveState active || status=1
	equal "$(box ls /run/systemd/system /run | grep -c upgrade)" 0 || status=1
	return "$status"
}

# The responders take their settings, the workers do not, and the other way round.
refused_settings_replace_nothing() {
	local status=0 name
	for name in worker app; do
		echo LOG_LEVEL=loud >"$BOX/tree/etc/payhook/payhook-$name.env"
		refused "settings were refused" dpkg -i /root/payhook.deb || status=1
		installed "$BOX/payhook.deb" half-configured || status=1
		rm "$BOX/tree/etc/payhook/payhook-$name.env"
	done
	completes || status=1
	return "$status"
}

# completes - what was refused is put right, and dpkg ends the upgrade.
completes() {
	local before worker
	before=$(responders) worker=$(show payhook-worker@1 MainPID)
	box dpkg --configure payhook </dev/null || return
	await 5 others_than "$before" || return
	[[ $(show payhook-worker@1 MainPID) != "$worker" ]] || { echo "the worker is the old one" && return 1; }
	await 10 ready && installed "$BOX/payhook.deb" installed
}

# As when one run of apt upgrades the database too, which is down until the end.
database_is_down() {
	local before status=0
	before=$(running)
	box systemctl stop postgresql@15-main || return
	! box dpkg -i /root/payhook.deb </dev/null >"$BOX/refused" 2>&1 || status=1
	cat "$BOX/refused"
	grep -q "it is migrated after the files are replaced" "$BOX/refused" || status=1
	equal "$(running)" "$before" || status=1
	box systemctl start postgresql@15-main || status=1
	await 10 ready || status=1
	completes || status=1
	return "$status"
}

# ---- upgrades, and back ----

# replaces FILE - the package is installed under load, and no request is lost.
replaces() {
	local before worker status=0
	before=$(responders) worker=$(show payhook-worker@1 MainPID)
	load_begin "${1%.deb}-$RANDOM"
	install_in_box "/root/$1" || status=1
	await 5 others_than "$before" || status=1
	load_end || status=1
	[[ $(show payhook-worker@1 MainPID) != "$worker" ]] || { echo "the worker is the old one" && status=1; }
	installed "$BOX/$1" installed || status=1
	ready || status=1
	box nginx -t -q || status=1
	files_are_as_edited || status=1
	return "$status"
}

programs_report_the_version() {
	local version
	version=$(version_of "$BOX/payhook.deb")
	equal "$(box payhook-app --version)" "payhook-app $version" || return
	(near curl -sS -m 5 --noproxy '*' 127.0.0.1/metrics) | grep "^payhook_build_info{version=\"${version//./\\.}\"" ||
		{ echo "the metrics have another version" && return 1; }
}

# ---- files without conffiles ----

# A package that was never installed with conffiles makes the files, keeps them through all but a purge, and takes what an
# upgrade brings from its own directory.
files_are_the_operators() {
	local file
	box apt-get -q purge -y payhook </dev/null || return
	for file in "${EDITED[@]}"; do
		[[ ! -e $BOX/tree$file ]] || { echo "$file is left" && return 1; }
	done
	install_in_box /root/payhook.deb || return
	equal "$(box dpkg-query -W -f '${Conffiles}' payhook)" '' || return
	equal "$(box stat -c '%a %U:%G' "${EDITED[@]}" | paste -sd' ')" '640 root:payhook 644 root:root 644 root:root' || return
	box nginx -t -q || return
	edit_again || return
	box apt-get -q install -y --reinstall /root/payhook.deb </dev/null || return
	files_are_as_edited || return
	box apt-get -q remove -y payhook </dev/null && install_in_box /root/payhook.deb || return
	files_are_as_edited || return
	rm "$BOX/tree/etc/payhook/logrotate.conf"
	box apt-get -q install -y --reinstall /root/payhook.deb </dev/null || return
	box cmp /etc/payhook/logrotate.conf /usr/share/payhook/logrotate.conf
}

edit_again() {
	ln -sf ../sites-available/payhook "$BOX/tree/etc/nginx/sites-enabled/payhook"
	edit
}

need "a container can be booted here" box_possible
need "the package is built" build_package
need "the package of the version before is built from the history" build_before
need "a package with a migration that fails is made" broken_package
check "the version differs for each build, and is newer than the version before" versions_are_sorted
check "the package has documents, alerts, dashboard, OpenAPI and examples, and no file in /etc" package_is_complete
need "there is a Debian 12 with what the package depends on" make_tree
box_boot
await 30 box_is_up >/dev/null
box_find
need "systemd is up" box_is_up
need "the version before is installed" install_before
need "it is configured" configure
need "it runs" start
need "the operator edits the files" edit
check "a migration that fails leaves the version before running and installed" failing_migration_replaces_nothing before.deb
check "an upgrade without a terminal over edited files loses no request, and the files stay" replaces payhook.deb
check "every accepted webhook is processed" await 40 all_processed
check "the programs and the metrics have the version of the package" programs_report_the_version
check "a migration that fails leaves this version running and installed" failing_migration_replaces_nothing payhook.deb
check "settings that the new programs refuse leave the running ones alone" refused_settings_replace_nothing
check "an upgrade while the database is down is completed when it is back" database_is_down
check "the way back loses no request, and the files stay" replaces before.deb
check "and up again" replaces payhook.deb
check "every accepted webhook is processed, in the end" await 40 all_processed
check "the operator's files are made once, and go with a purge" files_are_the_operators
finish
