# shellcheck shell=bash disable=SC2154
# Builds the Debian package with debhelper, from a copy of its sources.

DEB_SOURCES=(app console ctl debian docs include lib man nginx ops schema supervisor systemd web worker bench/README.md
	meson.build meson_options.txt openapi.yaml CHANGELOG.md CONTRIBUTING.md LICENSE README.md SECURITY.md)

cmd_deb() {
	packages_need build package
	build_locked deb_build
}

# Writes nothing: the checkout may be another user's.
deb_git() {
	git --no-optional-locks -c "safe.directory=$HERE" -C "$HERE" "$@"
}

# deb_version NUMBER - prints the version of the package, by which dpkg distinguishes builds of one number and sorts them:
# NUMBER+gitTIME.COMMIT with the time of the commit; with changes of the sources that are not committed, the time is now.
# Outside of a git checkout it is the number alone.
deb_version() {
	local commit
	if [[ ! -e $HERE/.git ]]; then
		echo "$1"
		return
	fi
	commit=$(TZ=UTC deb_git show -s --abbrev=12 --date=format-local:%Y%m%d.%H%M%S --format=%cd.%h) || return
	if [[ -n $(deb_git status --porcelain -- "${DEB_SOURCES[@]}") ]]; then
		TZ=UTC printf -v commit '%(%Y%m%d.%H%M%S)T.%s.changed' -1 "${commit##*.}"
	fi
	echo "$1+git$commit"
}

# The package of an earlier build stays until there is a new one.
deb_build() {
	local number version file
	local new=$BUILD/deb.new
	number=$(dpkg-parsechangelog -l "$HERE/debian/changelog" -S Version)
	grep -q "version: '$number'," "$HERE/meson.build" ||
		fail 1 "debian/changelog has version $number, meson.build has another"
	version=$(deb_version "$number") || fail 1 "git does not name the commit of $HERE"
	info "building the package of payhook $version"
	rm -rf -- "$new"
	# Closed, since meson's lock in it could be opened by all users.
	mkdir -m 700 -- "$new"
	mkdir -- "$new/payhook-$version"
	tar -C "$HERE" -c -- "${DEB_SOURCES[@]}" | tar -C "$new/payhook-$version" --no-same-owner -x
	sed -i "1s/($number)/($version)/" "$new/payhook-$version/debian/changelog"
	cd -- "$new/payhook-$version" || exit
	# packages.txt lists the packages that the build needs.
	build_run "$new/build.log" dpkg-buildpackage --build=binary --no-check-builddeps --no-sign
	cd -- "$BUILD" || exit
	rm -rf -- "$new/payhook-$version" "$BUILD/deb"
	chmod 755 -- "$new"
	mv -- "$new" "$BUILD/deb"
	for file in "$BUILD/deb"/payhook_*.deb; do
		info "built $file"
	done
}
