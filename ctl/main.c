/* payhook-ctl - what an operator asks of a payhook without touching one that runs.
 *
 * Its commands read the same files by the same code as the responders, and none connects to the database or to a running
 * process.  They are a program of their own so that the process that faces the internet carries none of this code. */

#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "ctl.h"
#include "key.h"
#include "runtime/configuration.h"
#include "txn/currency.h"
#include "verify.h"

void ctl_complain(const char *complaint)
{
	fprintf(stderr, CTL_PROGRAM ": %s\n", complaint);
}

static int check_run(int argc, char **argv)
{
	(void)argv;
	if (argc > 0) {
		ctl_complain("usage: check");
		return 2;
	}
	return configuration_check(stdout, ctl_complain) ? 0 : 2;
}

/* For ./payhook import, which accepts the same currencies as the responders. */
static int currencies_run(int argc, char **argv)
{
	static struct settings settings;
	size_t count;
	(void)argv;
	if (argc > 0) {
		ctl_complain("usage: currencies");
		return 2;
	}
	if (!settings_read(&settings, ctl_complain))
		return 2;
	const struct currency *iso = currency_all(&count);
	for (size_t i = 0; i < count; i++)
		printf("%s:%d\n", iso[i].code, iso[i].minor_unit);
	for (int i = 0; i < settings.extra_currencies.count; i++)
		printf("%s:%d\n", settings.extra_currencies.list[i].code, settings.extra_currencies.list[i].minor_unit);
	return 0;
}

static const struct command {
	const char *name, *arguments, *purpose;
	int (*run)(int argc, char **argv); /* the arguments behind the name; returns the exit status */
} COMMANDS[] = {
	{"verify", " SOURCE [--at TIME]",
		"explain why the HTTP request on standard input does or does not verify,\n"
		"      now or at a time such as 2026-02-19T12:00:00Z",
		verify_run},
	{"key", " NAME SCOPE...", "generate an API key and its entry for API_KEYS_FILE; scopes: read, operate",
		key_run},
	{"check", "", "print the settings, sources and keys in force, or what is wrong with them", check_run},
	{"currencies", "", "print the accepted currency codes with their decimals", currencies_run},
};

static void help(void)
{
	printf("Usage: " CTL_PROGRAM
	       " COMMAND [ARGUMENT...]\n\nOperator's tool of payhook; it reads the settings of the "
	       "services.\n\n");
	for (size_t i = 0; i < COUNT_OF(COMMANDS); i++)
		printf("  %s%s\n      %s\n", COMMANDS[i].name, COMMANDS[i].arguments, COMMANDS[i].purpose);
	printf("  --version\n      print the version\n  --help\n      print this text\n\n"
	       "Exit status: 0 success, 1 the answer is no, 2 usage or settings are wrong.\n");
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf(CTL_PROGRAM " " PAYHOOK_VERSION "\n");
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		help();
		return 0;
	}
	for (size_t i = 0; argc > 1 && i < COUNT_OF(COMMANDS); i++) {
		if (strcmp(argv[1], COMMANDS[i].name) == 0)
			return COMMANDS[i].run(argc - 2, argv + 2);
	}
	fprintf(stderr, CTL_PROGRAM ": unknown command %s; see --help\n", argc > 1 ? argv[1] : "(none)");
	return 2;
}
