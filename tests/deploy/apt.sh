# shellcheck shell=bash disable=SC2016
# The apt sources from which this machine installs Debian.

# apt_sources RELEASE... - prints the machine's sources of the component main of these releases, as lines of a
# sources.list.
apt_sources() {
	apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(SITE)' 'Created-By: Packages' | sort -u |
		awk -v wanted=" $* " '$2 == "main" && index(wanted, " " $1 " ") {
			print "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]", $3, $1, $2 }'
}
