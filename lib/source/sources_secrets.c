/* sources_secrets.c - reads the secrets to which the operator's list of sources refers.
 *
 * The list itself has no secret in it.  A secret stays in memory only inside its key; the buffers through which it passes
 * are wiped.  Access to files and the environment is left to the caller, and the form of a secret to auth/signer.h. */

#include "source/sources_secrets.h"

#include <string.h>

#include "base/ascii.h"
#include "base/clock.h"

#define VARIABLE_MAX 127    /* bytes of the name of an environment variable */
#define PATH_MAX_BYTES 1023 /* of a secret's file */

struct secrets_reading {
	const struct sources_outside *outside;
	const struct sources *all; /* those before, and the one that is read */
	struct signer *signer;
	bool is_basic; /* the secret is that of HTTP Basic */
};

static bool is_variable(const char *name)
{
	static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_", ALL[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
	return strchr(LETTERS, *name) && strspn(name, ALL) == strlen(name);
}

static const struct signer_secret *added_last(const struct secrets_reading *r)
{
	return r->is_basic ? &r->signer->basic : &r->signer->secrets[r->signer->count - 1];
}

static bool check_length(const struct secrets_reading *r, struct fault *f)
{
	const struct signer_secret *added = added_last(r);
	return !signer_secret_is_short(added) ||
	       fault_set(f, FAULT_INPUT,
		       "the secret has %zu bytes; one of fewer than %d can be guessed, so generate a longer one",
		       added->len, SIGNER_SHARED_MIN);
}

/* A provider that has the secret of another source could sign in that one's name. */
static bool check_alone(const struct secrets_reading *r, struct fault *f)
{
	for (int i = 0; i < r->all->count; i++) {
		const struct source *other = &r->all->list[i];
		if (&other->signer != r->signer && signer_has_secret(&other->signer, added_last(r)))
			return fault_set(f, FAULT_INPUT,
				"the source %s has this secret too, and each source needs one of its own", other->name);
	}
	return true;
}

/* Removes the ends of lines: a file usually ends in one, which is not part of the secret. */
static size_t without_line_end(const char *text, size_t len)
{
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	return len;
}

static bool is_blank_only(const char *text, size_t len)
{
	ascii_trim(&text, &len);
	return len == 0;
}

/* Gives the secret to the signer. */
static bool set_secret(const struct secrets_reading *r, const struct buf *secret, int64_t not_after_s, struct fault *f)
{
	const char *text = secret->data ? secret->data : "";
	size_t len = without_line_end(text, secret->len);
	if (!buf_ok(secret) || secret->len > SECRET_MAX)
		return fault_set(f, FAULT_INPUT, "the secret is longer than %d bytes", SECRET_MAX);
	if (is_blank_only(text, len))
		return fault_set(f, FAULT_INPUT, "the secret is empty");
	if (r->is_basic ? !signer_set_basic(r->signer, text, len, not_after_s, f)
			: !signer_add_secret(r->signer, text, len, not_after_s, f))
		return false;
	return check_length(r, f) && check_alone(r, f);
}

/* Reads one secret and adds it to the source's signer.  The buffer has room for one byte more than is valid, so that a
 * longer secret is an error and is not cut.  It is wiped as far as it was allocated, whatever happened. */
static void add_secret(struct secrets_reading *r, const struct json_place *p, enum secret_place place, const char *name,
	int64_t not_after_s)
{
	struct fault f;
	struct buf secret = BUF_INIT(SECRET_MAX + 1);
	if (!r->outside->secret(r->outside->ctx, place, name, &secret, &f) || !set_secret(r, &secret, not_after_s, &f))
		json_config_complain(p, "%s", f.text);
	if (secret.data)
		explicit_bzero(secret.data, secret.cap);
	buf_finish(&secret);
}

/* Optional; *ret is left alone if it is absent. */
static bool read_not_after(const struct json_place *p, int64_t *ret)
{
	char text[CLOCK_DATE_MAX + 16];
	if (!json_config_given(p))
		return true;
	if (!json_config_text(p, sizeof text - 1, text))
		return false;
	if (clock_read(text, ret))
		return true;
	json_config_complain(p, "is no time as 2026-12-31T00:00:00Z is one");
	return false;
}

/* {"file": path} or {"env": NAME}, optionally with "not_after".  No report quotes a value from here: an operator may
 * have written the secret itself in place of the object, the path or the name. */
static void read_secret(struct secrets_reading *r, const struct json_place *p)
{
	static const char *const names[] = {"file", "env", "not_after"};
	struct json_place member[3];
	char name[PATH_MAX_BYTES + 1];
	int64_t not_after_s = INT64_MAX;
	if (json_value_kind(p->value) != JSON_IS_OBJECT) {
		json_config_complain(p, "{\"file\": path} or {\"env\": name} is wanted: no secret stands here itself");
		return;
	}
	bool was_discreet = p->config->is_discreet;
	p->config->is_discreet = true; /* the name of an unknown member may be the secret */
	json_config_members(p, names, member, 3);
	p->config->is_discreet = was_discreet;
	const struct json_place *file = &member[0], *variable = &member[1];
	bool is_file = json_config_given(file);
	if (is_file == json_config_given(variable)) {
		json_config_complain(p, "either file or env is wanted");
		return;
	}
	if (!read_not_after(&member[2], &not_after_s))
		return;
	if (is_file && json_config_text(file, PATH_MAX_BYTES, name)) {
		add_secret(r, file, SECRET_IN_FILE, name, not_after_s);
	} else if (!is_file && json_config_text(variable, VARIABLE_MAX, name)) {
		if (is_variable(name))
			add_secret(r, variable, SECRET_IN_VARIABLE, name, not_after_s);
		else
			json_config_complain(variable, "is no name of a variable: capitals, digits, underscores");
	}
}

void sources_secrets_read(const struct json_place *p, const struct sources_outside *outside, const struct sources *all,
	struct signer *ret)
{
	struct secrets_reading r = {.outside = outside, .all = all, .signer = ret};
	struct json_place secrets[SIGNER_SECRETS_MAX];
	if (!outside->secret)
		return;
	int count = json_config_elements(p, secrets, SIGNER_SECRETS_MAX);
	for (int i = 0; i < count; i++)
		read_secret(&r, &secrets[i]);
}

void sources_secrets_read_basic(const struct json_place *p, const struct sources_outside *outside,
	const struct sources *all, struct signer *ret)
{
	struct secrets_reading r = {.outside = outside, .all = all, .signer = ret, .is_basic = true};
	if (outside->secret)
		read_secret(&r, p);
}
