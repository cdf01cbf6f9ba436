#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "base/fault.h"

/* What the supervisor starts, and in which order.  ops/up.sh, which has the settings, writes it to the supervisor's
 * standard input: words that each end with a NUL byte.  They are no arguments, since these name all the programs, and
 * "pkill -f payhook-worker" would find the supervisor as well.
 *
 * An item is a part, which is kept running, or a step, which must end with status 0 before the next item begins:
 *
 *	part NAME [OPTION=VALUE]... -- COMMAND ARGUMENT... ;
 *	step NAME [env=VARIABLE=VALUE]... -- COMMAND ARGUMENT... ;
 *
 * The options are the members of struct plan_item, and signals are written without SIG.  The last argument of an item
 * is ";", as for "find -exec".
 *
 * "env" may be repeated.  A process starts with these variables and no others, neither the supervisor's nor those of
 * another item: a secret is known to the parts that need it. */

#define PLAN_ITEMS_MAX 16
#define PLAN_WORDS_MAX 1024
#define PLAN_TEXT_MAX (128 << 10) /* bytes of all words */

struct plan_item {
	const char *name;   /* of a part: also of its record RUN_FOLDER/NAME.pid and its log LOG_FOLDER/NAME.log */
	char **command;     /* searched for in PATH; ends with NULL */
	char **environment; /* "VARIABLE=VALUE", of its processes; ends with NULL */
	bool is_part;
	/* For parts only. */
	const char *user;    /* the part runs as this user and its groups; NULL: as the supervisor's user */
	int wave;            /* parts of wave 0 are stopped first, and those of wave 1 when all of these have ended */
	int stop;            /* the signal that asks the part to end, also sent by the kernel if the supervisor dies */
	int patience_ms;     /* how long it may take to end before it gets the second signal */
	int stop_again;      /* the second signal; SIGKILL follows 3 s later */
	int orphans;         /* the signal for children that the part leaves behind; 0: they end by themselves */
	int reopen;          /* the signal after which the part opens its own log again; 0: it has none */
	const char *own_log; /* LOG_FOLDER/OWN_LOG.log is the log that the part itself writes; NULL: none */
};

struct plan {
	const char *run_folder;
	const char *log_folder;
	bool detach; /* once all items have been started, nothing is printed on the terminal */
	struct plan_item items[PLAN_ITEMS_MAX];
	int count;
};

/* Reads items from a descriptor to its end and adds them to the plan.  The items point into static memory, so this is
 * called once.  FAULT_INPUT names the word that is wrong. */
MUST_USE bool plan_read(int fd, struct plan *ret, struct fault *f);
