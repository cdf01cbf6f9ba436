#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/base.h"
#include "base/fault.h"
#include "runtime/log.h"
#include "txn/currency.h"

/* The settings that the C programs read: environment variables, read once at start; a secret NAME also as the one line of
 * a file that NAME_FILE names.  lib/runtime/settings.table declares each, with its kind, default, range and meaning; a member is
 * the name in small letters.  The programs share the struct: each checks all of it. */

#define SETTINGS_TEXT_MAX 1024 /* bytes of a value, its NUL included */

enum conflict_policy { CONFLICT_QUARANTINE, CONFLICT_REJECT };

enum processor_choice { PROCESSOR_IS_SIMULATED, PROCESSOR_IS_HTTP };

struct settings {
	char database[SETTINGS_TEXT_MAX]; /* libpq's connection string or URI: DATABASE_URL, or made of POSTGRES_* */
	char database_url[SETTINGS_TEXT_MAX];
	char postgres_host[SETTINGS_TEXT_MAX], postgres_port[SETTINGS_TEXT_MAX], postgres_db[SETTINGS_TEXT_MAX];
	char postgres_user[SETTINGS_TEXT_MAX], postgres_password[SETTINGS_TEXT_MAX];
	int conflict_policy; /* enum conflict_policy */
	char extra_currencies_text[SETTINGS_TEXT_MAX];
	struct currency_extras extra_currencies;
	char sources_file[SETTINGS_TEXT_MAX];  /* empty: the built-in source alone */
	char api_keys_file[SETTINGS_TEXT_MAX]; /* empty: reads for private addresses alone */
	int require_signatures;                /* 1: no source may be open */
	int processor;                         /* enum processor_choice */
	int processor_delay_ms;
	char processor_url[SETTINGS_TEXT_MAX]; /* not empty where the processor is http */
	int processor_connect_timeout_ms, processor_timeout_ms;
	int max_attempts;           /* calls before a transaction is FAILED */
	int circuit_failures;       /* in a row, after which only probes are made; 0: never */
	int worker_slots;           /* calls of the processor under way in one worker */
	int worker_grace_ms;        /* how long a worker that is asked to end lets calls finish */
	int attempts_keep_days;     /* 0: for ever */
	int transactions_keep_days; /* 0: for ever, else 31 at least */
	char metrics_folder[SETTINGS_TEXT_MAX];
	char worker_metrics_address[SETTINGS_TEXT_MAX];
	int worker_metrics_port; /* 0: no metrics */
	int log_level;           /* enum log_level */
};

/* Reads these settings from the environment.  Each bad one is reported to report(), with its name, value and range; then
 * the result is false. */
MUST_USE bool settings_read(struct settings *ret, void (*report)(const char *complaint));

/* One line NAME=value for each setting, secrets hidden. */
void settings_print(const struct settings *s, FILE *out);

/* One paragraph for each setting: name, meaning, range, default. */
void settings_help(FILE *out);
