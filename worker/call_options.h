#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/base.h"
#include "base/buf.h"
#include "call_headers.h"
#include "call_signer.h"
#include "runtime/settings.h"

/* What each call of the http processor has beside its transaction, read once at the start from the files that the settings
 * name: the operator's headers, the secrets of payhook's signature, certificates and keys for TLS. */

#define CALL_OPTIONS_PEM_MAX 1048576 /* bytes of a PEM file: all certificates that Debian trusts have 220 kB */

struct call_options {
	const struct settings *settings;
	struct call_headers headers;
	struct call_signer signer;
	struct buf ca, certificate, key; /* PEM; empty: not set */
};

/* Reads the files that s names, which must outlive *ret.  Each error is reported, with the setting, the path and the line,
 * and never with a value; the result is then false, and *ret needs no call_options_finish(). */
MUST_USE bool call_options_read(
	const struct settings *s, struct call_options *ret, void (*report)(const char *complaint));

/* Wipes headers, secrets and keys.  Accepts what is all zero. */
void call_options_finish(struct call_options *o);

/* Prints the names of the headers and the number of secrets.  No value. */
void call_options_print(const struct call_options *o, FILE *out);
