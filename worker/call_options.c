/* call_options.c - reads the files that the settings of the http processor name.
 *
 * They are read when the worker starts, and by --check, so that a wrong file is an error of the start and not of each
 * call.  A worker that is restarted reads them anew.  Errors are collected, so that an operator sees all of them at once. */

#include "call_options.h"

#include <limits.h>
#include <string.h>

#include "auth/pem.h"
#include "base/file.h"

#define SHOWN_PATH_MAX 100 /* bytes of a path in a complaint, so that the reason behind it is not cut off */

struct options_reading {
	struct call_options *options;
	void (*report)(const char *complaint);
	bool good;
};

static void options_complain(struct options_reading *r, const char *name, const char *path, const char *why)
{
	struct fault f;
	fault_write(&f, FAULT_INPUT, "%s=%.*s: %s", name, SHOWN_PATH_MAX, path, why);
	r->report(f.text);
	r->good = false;
}

/* Reads a file of at most most bytes into *ret, unless its setting is empty.  False: there is nothing to go on with. */
static bool options_read_file(
	struct options_reading *r, const char *name, const char *path, size_t most, struct buf *ret)
{
	struct fault why;
	*ret = BUF_INIT(most + 1);
	if (!*path)
		return false;
	if (!file_read(path, ret, &why))
		options_complain(r, name, path, why.text);
	else if (ret->len > most)
		options_complain(r, name, path, "the file is too long");
	else
		return true;
	return false;
}

static void wipe(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->cap);
	buf_finish(b);
}

/* Reads a file that a header's value names.  A relative path is resolved against the folder of PROCESSOR_HEADERS. */
static bool options_read_secret(void *ctx, const char *name, struct buf *ret, struct fault *f)
{
	const char *list = ctx, *slash = strrchr(list, '/');
	char path[PATH_MAX];
	int folder = slash && *name != '/' ? (int)(slash + 1 - list) : 0;
	if (snprintf(path, sizeof path, "%.*s%s", folder, list, name) >= (int)sizeof path)
		return fault_set(f, FAULT_INPUT, "its path is too long");
	return file_read(path, ret, f);
}

static void options_read_headers(struct options_reading *r, const char *path)
{
	struct buf text;
	struct fault f;
	if (options_read_file(r, "PROCESSOR_HEADERS", path, CALL_HEADERS_FILE_MAX, &text) &&
		!call_headers_read(text.len > 0 ? text.data : "", text.len, options_read_secret, (void *)path,
			&r->options->headers, &f))
		options_complain(r, "PROCESSOR_HEADERS", path, f.text);
	wipe(&text);
}

static void options_read_signer(struct options_reading *r, const char *path)
{
	struct buf text;
	struct fault f;
	if (options_read_file(r, "PROCESSOR_SIGNING_SECRETS_FILE", path, CALL_SIGNER_FILE_MAX, &text) &&
		!call_signer_read(text.len > 0 ? text.data : "", text.len, &r->options->signer, &f))
		options_complain(r, "PROCESSOR_SIGNING_SECRETS_FILE", path, f.text);
	wipe(&text);
}

static bool options_read_certificates(struct options_reading *r, const char *name, const char *path, struct buf *ret)
{
	struct fault f;
	if (!options_read_file(r, name, path, CALL_OPTIONS_PEM_MAX, ret))
		return false;
	if (pem_check_certificates(ret->len > 0 ? ret->data : "", ret->len, &f))
		return true;
	options_complain(r, name, path, f.text);
	return false;
}

/* The key may stand in the file of the certificate. */
static void options_read_pair(struct options_reading *r, const struct settings *s)
{
	struct call_options *o = r->options;
	const char *key = *s->processor_client_key ? s->processor_client_key : s->processor_client_certificate;
	struct fault f;
	if (*s->processor_client_key && !*s->processor_client_certificate) {
		options_complain(r, "PROCESSOR_CLIENT_KEY", s->processor_client_key,
			"it is of no use without PROCESSOR_CLIENT_CERTIFICATE");
		return;
	}
	if (!options_read_certificates(
		    r, "PROCESSOR_CLIENT_CERTIFICATE", s->processor_client_certificate, &o->certificate))
		return;
	if (options_read_file(r, "PROCESSOR_CLIENT_KEY", key, CALL_OPTIONS_PEM_MAX, &o->key) &&
		!pem_check_key(
			o->key.len > 0 ? o->key.data : "", o->key.len, o->certificate.data, o->certificate.len, &f))
		options_complain(r, "PROCESSOR_CLIENT_KEY", key, f.text);
}

bool call_options_read(const struct settings *s, struct call_options *ret, void (*report)(const char *complaint))
{
	struct call_options o = {.settings = s};
	struct options_reading r = {.options = &o, .report = report, .good = true};
	options_read_headers(&r, s->processor_headers);
	options_read_signer(&r, s->processor_signing_secrets_file);
	if (*s->processor_ca)
		options_read_certificates(&r, "PROCESSOR_CA", s->processor_ca, &o.ca);
	options_read_pair(&r, s);
	if (*s->processor_token_url && call_headers_have(&o.headers, "authorization:"))
		options_complain(&r, "PROCESSOR_HEADERS", s->processor_headers,
			"Authorization cannot be set beside PROCESSOR_TOKEN_URL, which sets it");
	if (r.good)
		*ret = o;
	else
		call_options_finish(&o);
	return r.good;
}

void call_options_finish(struct call_options *o)
{
	call_headers_finish(&o->headers);
	call_signer_finish(&o->signer);
	wipe(&o->ca);
	wipe(&o->certificate);
	wipe(&o->key);
}

void call_options_print(const struct call_options *o, FILE *out)
{
	for (int i = 0; i < o->headers.count; i++) {
		const char *line = o->headers.text.data + o->headers.at[i];
		fprintf(out, "header %.*s: (set)\n", (int)strcspn(line, ":"), line);
	}
	if (o->signer.count > 0)
		fprintf(out, "calls are signed with %d secret%s\n", o->signer.count, o->signer.count > 1 ? "s" : "");
}
