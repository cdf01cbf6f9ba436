#pragma once

#include "counters.h"
#include "fastcgi/http.h"
#include "fastcgi/request.h"

/* What the routes of the responder share. */

#define REQUEST_WAIT_MS 450        /* senders are to have an answer within half a second */
#define REPLY_BODY_MAX (64 * 1024) /* bytes: enough for a transaction with every byte escaped, and for all metrics */

struct api_keys;
struct auth_failures;
struct ingest;
struct payloads;
struct settings;
struct source_counters;
struct sources;
struct transmissions;
struct txn_reader;
struct unreadable;

/* The parts of the responder that the routes use.  main.c owns them; all outlive every request. */
struct service {
	const struct settings *settings;
	const struct sources *sources;
	const struct api_keys *keys; /* NULL: API_KEYS_FILE is not set */
	struct ingest *ingest;
	struct txn_reader *txn_reader;
	struct transmissions *transmissions; /* NULL: no source needs them */
	struct payloads *payloads;           /* NULL: no source keeps what it ignores */
	struct unreadable *unreadable;       /* NULL: no source keeps what it cannot map */
	struct counters *counters;
	struct source_counters *source_counters;
	struct auth_failures *auth_failures;
};
