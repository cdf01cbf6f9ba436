#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/base.h"
#include "base/fault.h"
#include "http/network.h"
#include "runtime/log.h"
#include "txn/currency.h"

/* The settings that the C programs read: environment variables, read once at start.  A secret NAME may instead be
 * the one line of a file that NAME_FILE names.
 *
 * lib/runtime/settings.table declares each setting with its kind, default, range and meaning.  A member of the
 * struct has the setting's name in lower case.  The programs share the struct, and each of them checks all settings. */

#define SETTINGS_TEXT_MAX 1024 /* bytes of a value, its NUL included */

enum conflict_policy { CONFLICT_QUARANTINE, CONFLICT_REJECT };

enum processor_choice { PROCESSOR_IS_SIMULATED, PROCESSOR_IS_HTTP };

enum processor_body { PROCESSOR_BODY_CANONICAL, PROCESSOR_BODY_ORIGINAL };

/* From where unsigned webhooks are taken. */
enum open_to { OPEN_TO_ALL, OPEN_TO_PRIVATE, OPEN_TO_NETWORKS };

struct settings {
	char database[SETTINGS_TEXT_MAX]; /* libpq's connection string or URI: DATABASE_URL, or from POSTGRES_* */
	char database_url[SETTINGS_TEXT_MAX];
	char postgres_host[SETTINGS_TEXT_MAX], postgres_port[SETTINGS_TEXT_MAX], postgres_db[SETTINGS_TEXT_MAX];
	char postgres_user[SETTINGS_TEXT_MAX], postgres_password[SETTINGS_TEXT_MAX];
	int conflict_policy; /* enum conflict_policy */
	char extra_currencies_text[SETTINGS_TEXT_MAX];
	struct currency_extras extra_currencies;
	char sources_file[SETTINGS_TEXT_MAX];        /* empty: only the built-in source */
	char api_keys_file[SETTINGS_TEXT_MAX];       /* empty: only private addresses may read */
	char allowed_hosts[SETTINGS_TEXT_MAX];       /* as host_is_allowed() takes it */
	char console_user_header[SETTINGS_TEXT_MAX]; /* a header's name in lower case; empty: no proxy signs users in */
	int body_limit;                              /* bytes, PAYLOAD_MAX at most */
	int require_signatures;                      /* 1: every source must have a signature scheme */
	int tls_port;                                /* 0: nginx offers no TLS itself */
	char real_ip_from[SETTINGS_TEXT_MAX];        /* empty: there is no balancer before nginx */
	char open_source_from[SETTINGS_TEXT_MAX];    /* never empty: "all", "private", or the networks below */
	enum open_to open_to;
	struct networks open_networks; /* for OPEN_TO_NETWORKS */
	int processor;                 /* enum processor_choice */
	int processor_delay_ms;
	char processor_url[SETTINGS_TEXT_MAX]; /* not empty if the processor is http */
	int processor_connect_timeout_ms, processor_timeout_ms;
	int processor_body; /* enum processor_body */
	/* The files of call_options.h; empty: none. */
	char processor_headers[SETTINGS_TEXT_MAX], processor_signing_secrets_file[SETTINGS_TEXT_MAX];
	char processor_ca[SETTINGS_TEXT_MAX];
	char processor_token_url[SETTINGS_TEXT_MAX]; /* empty: no token; else id and secret are not empty */
	char processor_client_id[SETTINGS_TEXT_MAX], processor_client_secret[SETTINGS_TEXT_MAX];
	char processor_token_scope[SETTINGS_TEXT_MAX];
	char processor_client_certificate[SETTINGS_TEXT_MAX], processor_client_key[SETTINGS_TEXT_MAX];
	int processor_rate;         /* calls a second over all workers; 0: no limit */
	int max_attempts;           /* calls before a transaction is FAILED */
	int circuit_failures;       /* consecutive failed calls that open the circuit; 0: it never opens */
	int worker_slots;           /* concurrent calls in one worker */
	int worker_grace_ms;        /* time that a stopping worker gives its calls to finish */
	int payloads_keep_days;     /* 0: none is kept */
	int attempts_keep_days;     /* 0: for ever */
	int transactions_keep_days; /* 0: for ever, else at least 31 */
	char metrics_folder[SETTINGS_TEXT_MAX];
	char worker_metrics_address[SETTINGS_TEXT_MAX];
	int worker_metrics_port; /* 0: the worker serves no metrics */
	int log_level;           /* enum log_level */
};

/* Reads all settings from the environment.  Each bad setting is passed to report() as one clause with the name, the
 * value (unless it is a secret) and the allowed range; the result is then false and *ret is unchanged. */
MUST_USE bool settings_read(struct settings *ret, void (*report)(const char *complaint));

/* Whether the processor can be called: PROCESSOR=http needs a PROCESSOR_URL.  Only the worker calls it, and only the worker
 * may have its URL. */
MUST_USE bool settings_name_processor(const struct settings *s, void (*report)(const char *complaint));

/* Prints a line NAME=value for each setting.  A secret and the query of a URL are shown as "(set)". */
void settings_print(const struct settings *s, FILE *out);

/* Prints a paragraph for each setting: name, meaning, range, default. */
void settings_help(FILE *out);
