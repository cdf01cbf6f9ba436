/* main.c - payhook-ctl, the operator's tool.
 *
 * Its commands read the same settings and files as the responders, by the same code, so their results are those of a
 * responder.  What concerns stored transactions calls the functions behind the console's API in the database; "check",
 * "payload", "listen" and "remap" read it, and only "retry" and "remap" change something there.  "send" posts to payhook,
 * "listen" to a program under development.  No command writes a file.
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
#include "listing.h"
#include "overview.h"
#include "payload.h"
#include "remap.h"
#include "retry.h"
#include "runtime/settings.h"
#include "send.h"
#include "story.h"
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
	{"status", " [--json]",
		"print health and problems, pauses, the queue, workers, the processor in force and the version;\n"
		"      exit status 0: ok, 1: something needs attention, 3: down",
		status_run},
	{"ls", " [ID] [FILTER...] [--limit N] [--cursor CURSOR] [--json]",
		"list transactions, newest first: those of the last 24 hours, all that are FAILED (--status FAILED),\n"
		"      or those with this ID or that of their payment; filters: --source, --status, --kind, --payment,\n"
		"      --account, --currency, --amount-min, --amount-max, --from, --to, --error (a part of the failure's\n"
		"      text)",
		ls_run},
	{"show", " ID [--source NAME] [--json]", "print all that happened to one transaction", show_run},
	{"payment", " ID [--source NAME] [--json]", "print one payment: its state, sums and events", payment_run},
	{"retry", " ID [--source NAME] [--even-processed] [--reason TEXT] [--json]",
		"call the processor again for a FAILED transaction; --even-processed: for a PROCESSED one, with a\n"
		"      reason.  \"retry FILTER... [--yes --reason TEXT [--rate N] [--background]]\": show how many FAILED\n"
		"      ones match; --yes: retry them.  \"retry --operations\", \"retry --follow OPERATION\", \"retry --cancel\n"
		"      OPERATION\": list, follow and cancel such operations",
		retry_run},
	{"sources", " [--json]", "list the sources: rates, last webhooks, pauses", sources_run},
	{"actions", " [--source NAME] [--id ID] [--actor NAME] [--action NAME] [--limit N] [--cursor CURSOR] [--json]",
		"list what operators did, newest first", actions_run},
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
	{"key", " NAME SCOPE...", "generate an API key and its entry for API_KEYS_FILE; scopes: read, operate, payload",
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

/* The exit status, unless a part of the output was lost on its way: a script would take the rest for the whole. */
static int written(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	if (status == 0)
		ctl_complain("the output could not be written");
	return status == 0 ? 1 : status;
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
	       "made, there is nothing by that name or nothing to do, the answer is not the expected one, the events\n"
	       "cannot be read, the server does not keep the promise or cannot be asked, or the output could not be\n"
	       "written; 2 an argument, a setting or the request is invalid; 3 \"status\": payhook is down.\n");
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
			return written(run(&COMMANDS[i], argc - 2, argv + 2));
	}
	fprintf(stderr, CTL_PROGRAM ": unknown command %s; see --help\n", argc > 1 ? argv[1] : "(none)");
	return 2;
}
