/* options.c - reads the arguments of a command. */

#include "options.h"

#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/utf8.h"
#include "ctl.h"

static bool options_refuse(const char *argument, const char *why)
{
	char quoted[FAULT_QUOTE_MAX];
	fprintf(stderr, CTL_PROGRAM ": %s %s\n", fault_quote(argument, strlen(argument), quoted), why);
	return false;
}

/* PostgreSQL takes nothing else, and the filter of an operation is JSON. */
static bool is_whole_utf8(const char *text)
{
	size_t len = strlen(text);
	for (size_t at = 0, length; at < len; at += length) {
		length = utf8_length(text + at, len - at);
		if (length == 0)
			return false;
	}
	return true;
}

static const struct option *find_option(const struct option *options, size_t count, const char *argument, size_t len)
{
	for (size_t i = 0; i < count; i++) {
		if (strlen(options[i].name) == len && strncmp(options[i].name, argument, len) == 0)
			return &options[i];
	}
	return NULL;
}

/* *i is the place of the option, and becomes that of its value. */
static bool take_option(const struct option *o, int argc, char **argv, int *i)
{
	const char *argument = argv[*i], *equals = strchr(argument, '=');
	if (o->flag && equals)
		return options_refuse(argument, "takes no value");
	if (o->flag) {
		*o->flag = true;
		return true;
	}
	if (!equals && *i + 1 == argc)
		return options_refuse(argument, "needs a value; --help lists the options");
	if (*o->value)
		return options_refuse(argument, "is given twice");
	*o->value = equals ? equals + 1 : argv[++*i];
	if (!**o->value)
		return options_refuse(argument, "has an empty value: leave the option out, or give it a value");
	return is_whole_utf8(*o->value) || options_refuse(*o->value, "is not UTF-8");
}

static bool take_operand(const char *argument, const char **operand)
{
	if (!operand)
		return options_refuse(argument, "has no meaning here; --help lists the options");
	if (*operand)
		return options_refuse(argument, "is one argument too many");
	if (!*argument)
		return options_refuse(argument, "is an empty argument");
	*operand = argument;
	return is_whole_utf8(argument) || options_refuse(argument, "is not UTF-8");
}

bool options_read(const struct option *options, size_t count, int argc, char **argv, const char **operand)
{
	bool is_behind = false;
	for (int i = 0; i < argc; i++) {
		if (!is_behind && strcmp(argv[i], "--") == 0) {
			is_behind = true;
			continue;
		}
		if (is_behind || argv[i][0] != '-') {
			if (!take_operand(argv[i], operand))
				return false;
			continue;
		}
		const struct option *o = find_option(options, count, argv[i], strcspn(argv[i], "="));
		if (!o)
			return options_refuse(argv[i], "is no option of this command; --help lists them");
		if (!take_option(o, argc, argv, &i))
			return false;
	}
	return true;
}
