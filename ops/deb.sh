# shellcheck shell=bash disable=SC2154
# Builds the Debian package with debhelper, from a copy of its sources.

DEB_SOURCES=(app ctl debian include lib man nginx ops schema supervisor systemd worker meson.build meson_options.txt LICENSE README.md)

cmd_deb() {
	packages_need build package
	build_locked deb_build
}

deb_build() {
	local version file
	version=$(dpkg-parsechangelog -l "$HERE/debian/changelog" -S Version)
	grep -q "version: '$version'," "$HERE/meson.build" ||
		fail 1 "debian/changelog has version $version, meson.build has another"
	info "building the package of payhook $version"
	rm -rf -- "$BUILD/deb"
	mkdir -p -- "$BUILD/deb/payhook-$version"
	tar -C "$HERE" -c -- "${DEB_SOURCES[@]}" | tar -C "$BUILD/deb/payhook-$version" --no-same-owner -x
	cd -- "$BUILD/deb/payhook-$version" || exit
	# packages.txt lists the packages that the build needs.
	build_run "$BUILD/deb/build.log" dpkg-buildpackage --build=binary --no-check-builddeps --no-sign
	for file in "$BUILD/deb"/payhook_*.deb; do
		info "built $file"
	done
}
