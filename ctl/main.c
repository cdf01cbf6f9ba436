/* main.c - payhook-ctl, the operator's tool.
 *
 * Its commands read the same settings and files as the responders, by the same code, so their results are those of a
 * responder.  Only "check" and "payload" connect to the database, and change nothing.  No command connects to a running
 * process, or writes a file.
 *
 * The tool is a program of its own so that the responder, which faces the internet, contains none of this code. */

#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/dumpable.h"
#include "check.h"
#include "ctl.h"
#include "key.h"
#include "listen.h"
#include "payload.h"
#include "remap.h"
#include "runtime/settings.h"
#include "send.h"
#include "txn/currency.h"
#include "verify.h"

void ctl_complain(const char *complaint)
{
	fprintf(stderr, CTL_PROGRAM ": %s\n", complaint);
}

/* Prints CODE:DECIMALS lines for ./payhook import, so that it accepts the same currencies as the responders: ISO
 * 4217, then EXTRA_CURRENCIES. */
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

/* The commands, in the order of --help. */
static const struct command {
	const char *name, *arguments, *purpose;
	int (*run)(int argc, char **argv); /* gets the arguments after the name; returns the exit status */
} COMMANDS[] = {
	{"verify", " SOURCE [--at TIME | --kept]",
		"report whether the signature of the HTTP request on standard input is valid, and why not;\n"
		"      now, at a time such as 2026-02-19T12:00:00Z, or when it was received (--kept: the output of\n"
		"      \"payload\")",
		verify_run},
	{"payload", " ID [--source NAME] [--headers | --body] [--escape]",
		"print the request that brought a transaction, as it was kept: its bytes exactly, or escaped on\n"
		"      a terminal and with --escape; the body is personal data",
		payload_run},
	{"send",
		" SOURCE [--kind KIND] [--bad-signature | --old | --duplicate | --conflict] [--url URL]\n"
		"      [--examples FOLDER]",
		"post an example of the provider's webhooks to payhook, signed with the source's own secret, and\n"
		"      show the answer; each run has new ids, and --duplicate those of the example",
		send_run},
	{"listen", " [--source NAME] [--since TIME] [--to URL] [--json]",
		"print the events that are accepted, as they come, and post each to a program under development;\n"
		"      TIME: 2026-02-19T12:00:00Z, with any zone, or Unix seconds; without it, from now on",
		listen_run},
	{"remap", " [SOURCE] [--dry-run] [--sources FILE]",
		"map again the webhooks that a source with \"unreadable\": \"keep\" could not map, and store their\n"
		"      transactions; --dry-run: only report.  --sources: that file instead of SOURCES_FILE",
		remap_run},
	{"key", " NAME SCOPE...", "generate an API key and its entry for API_KEYS_FILE; scopes: read, operate",
		key_run},
	{"check", "",
		"print the effective settings, sources and API keys, or every error in them; then whether the\n"
		"      database server keeps the promise of a 202, and why not",
		check_run},
	{"currencies", "", "print the accepted currency codes, each with its number of decimals", currencies_run},
};

static void describe(const struct command *c)
{
	printf("  %s%s\n      %s\n", c->name, c->arguments, c->purpose);
}

static int run(const struct command *c, int argc, char **argv)
{
	if (argc != 1 || strcmp(argv[0], "--help") != 0)
		return c->run(argc, argv);
	puts("Usage: " CTL_PROGRAM " COMMAND [ARGUMENT...]\n");
	describe(c);
	return 0;
}

static void help(void)
{
	printf("Usage: " CTL_PROGRAM
	       " COMMAND [ARGUMENT...]\n\nOperator's tool of payhook.  It reads the same settings as the "
	       "services.\n\n");
	for (size_t i = 0; i < COUNT_OF(COMMANDS); i++)
		describe(&COMMANDS[i]);
	printf("  --version\n      print the version\n  --help\n      print this text\n\n"
	       "Exit status: 0 success; 1 the signature is not valid, the request is not kept, the key could not be\n"
	       "made, the answer is not the expected one, the events cannot be read, or the server does not keep the\n"
	       "promise or cannot be asked; 2 an argument, a setting or the request is invalid.\n");
}

int main(int argc, char **argv)
{
	dumpable_clear();
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
			return run(&COMMANDS[i], argc - 2, argv + 2);
	}
	fprintf(stderr, CTL_PROGRAM ": unknown command %s; see --help\n", argc > 1 ? argv[1] : "(none)");
	return 2;
}
