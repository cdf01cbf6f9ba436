#pragma once

#include "auth/api_keys.h"
#include "fastcgi/request.h"
#include "runtime/settings.h"

/* What the parts of the console share. */

struct attempts;
struct calls;
struct sign_in_failures;

/* main.c owns them; all outlive every request. */
struct service {
	const struct settings *settings;
	const struct api_keys *keys; /* NULL: API_KEYS_FILE is not set */
	struct calls *calls;
	struct attempts *attempts;
	struct sign_in_failures *sign_in_failures; /* NULL: they are not recorded */
};

#define CONSOLE_SLOTS 64               /* each request is a connection of its own: nginx keeps none */
#define CONSOLE_WAIT_MS 3000           /* a statement takes 2 s at most (calls.c), and may wait for another one */
#define CONSOLE_BODY_MAX (1024 * 1024) /* bytes: an operation of 1,000 transactions has half of it */
#define CONSOLE_BODIES_MAX (8 * 1024 * 1024)
#define CONSOLE_REPLY_MAX (4 * 1024 * 1024) /* bytes: 200 transactions have 0.4 MiB, the largest webhook 1 MiB */
