# shellcheck shell=bash
# Whether text is a number, which has to be known before bash calculates with it.

# is_number TEXT... - whether each is a whole number: 1 to 18 digits without leading zeros.
#
# In arithmetic bash evaluates the text of a variable, and of the variables that it names: "a[$(id)]" runs a command.  What a
# file, another program or the caller says may be such a text.
is_number() {
	local text
	for text; do
		[[ $text =~ ^[0-9]{1,18}$ && ($text == 0 || $text != 0*) ]] || return 1
	done
}
