/* source.c - the sources of this process, and the checks that a request to one of them must pass.
 *
 * Three checks belong to a source: the address of the client, its TLS certificate, and the signature.  The first two
 * are cheap and do not read the body; they add to a signature and do not replace it.  nginx has already determined the
 * address and verified the certificate, and is trusted with both.  The list does not change after start, so any number
 * of requests use it without a lock.  The order of the checks, and the answers, are left to the caller. */

#include "source/source.h"

#include <stdlib.h>
#include <string.h>

#include "source/adyen.h"

void sources_init(struct sources *s)
{
	memset(s, 0, sizeof *s);
	s->count = 1;
	s->list[0] = (struct source){.name = SOURCE_BUILT_IN, .auth = SOURCE_AUTH_NONE};
	sources_sort(s);
}

/* By insertion: the list is short, and sorted once. */
void sources_sort(struct sources *s)
{
	for (int i = 0; i < s->count; i++) {
		int at = i;
		for (; at > 0 && strcmp(s->list[s->by_name[at - 1]].name, s->list[i].name) > 0; at--)
			s->by_name[at] = s->by_name[at - 1];
		s->by_name[at] = (short)i;
	}
}

void sources_finish(struct sources *s)
{
	for (int i = 0; i < s->count; i++) {
		signer_finish(&s->list[i].signer);
		free(s->list[i].mappings);
		s->list[i].mappings = NULL;
		s->list[i].mapping_count = 0;
	}
	s->count = 0;
}

bool source_name_valid(const char *name)
{
	static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	size_t len = strspn(name, LETTERS);
	return len > 0 && len <= SOURCE_NAME_MAX && name[len] == '\0';
}

/* A disabled source is not distinguished from an unknown one: both are answered 404.  Each webhook comes here, so the names
 * are halved and not tried one by one. */
const struct source *sources_find(const struct sources *s, const char *name)
{
	for (int low = 0, high = s->count; low < high;) {
		int middle = (low + high) / 2;
		const struct source *found = &s->list[s->by_name[middle]];
		int order = strcmp(name, found->name);
		if (order == 0)
			return found->auth == SOURCE_AUTH_DISABLED ? NULL : found;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const struct mapping *source_mapping_for(const struct source *s, const struct places *in)
{
	static const struct mapping plain = {.is_canonical = true};
	return source_is_plain(s) ? &plain : mapping_first(s->mappings, s->mapping_count, in);
}

static bool is_new_text(const struct mapping_text *t)
{
	return *t->after || t->is_optional;
}

/* The members of a mapping that version 0.1 does not know. */
static bool mapping_has_events(const struct mapping *m)
{
	for (int i = 0; i < m->condition_count; i++) {
		if (m->conditions[i].is_absent)
			return true;
	}
	return m->parts.count > 0 || is_new_text(&m->transaction_id) || is_new_text(&m->source_account) ||
	       is_new_text(&m->destination_account) || m->amount.is_total || m->amount.is_optional ||
	       *m->payment_id.at || *m->part.at || *m->kind.at || m->kind.otherwise != TXN_NO_KIND || *m->occurred.at;
}

bool source_has_events(const struct source *s)
{
	bool has = s->mapping_count > 1 || s->in_order || s->keep_ignored;
	for (int i = 0; i < s->mapping_count; i++)
		has |= mapping_has_events(&s->mappings[i]);
	return has;
}

bool source_is_open(const struct source *s)
{
	return s->auth == SOURCE_AUTH_NONE && s->allow_count == 0 && s->client == SOURCE_ANY_CLIENT;
}

bool source_signs_header(const struct source *s, const char *name)
{
	return s->auth == SOURCE_AUTH_SIGNATURE && signer_covers_header(&s->signer, name);
}

/* An empty list admits every address.  Text that is not an address is in no network. */
static bool holds_address(const struct source *s, const char *address)
{
	for (int i = 0; i < s->allow_count; i++) {
		if (network_holds(&s->allow[i], address))
			return true;
	}
	return s->allow_count == 0;
}

/* nginx asks for a certificate and accepts any (optional_no_ca), since other sources need none; its result is checked
 * here.  The subject is compared byte for byte: the operator writes it as nginx does. */
static bool is_client(const struct source *s, const struct source_sender *sender, struct fault *why)
{
	char quoted[FAULT_QUOTE_MAX];
	const char *subject = sender->client_subject, *verify = sender->client_verify;
	if (s->client == SOURCE_ANY_CLIENT)
		return true;
	if (!*verify || strcmp(verify, "NONE") == 0)
		return fault_set(why, FAULT_INPUT, "no client certificate was shown");
	if (strcmp(verify, "SUCCESS") != 0)
		return fault_set(why, FAULT_INPUT, "the client certificate does not verify: %s",
			fault_quote(verify, strlen(verify), quoted));
	return s->client == SOURCE_KNOWN_CLIENT || strcmp(subject, s->subject) == 0 ||
	       fault_set(why, FAULT_INPUT, "the client certificate is another's: %s",
		       fault_quote(subject, strlen(subject), quoted));
}

enum source_admission source_admits(const struct source *s, const struct source_sender *sender, struct fault *why)
{
	char quoted[FAULT_QUOTE_MAX];
	if (!holds_address(s, sender->address)) {
		fault_set(why, FAULT_INPUT, "the address is not on the list: %s",
			fault_quote(sender->address, strlen(sender->address), quoted));
		return SOURCE_REFUSES_ADDRESS;
	}
	return is_client(s, sender, why) ? SOURCE_ADMITS : SOURCE_REFUSES_CERTIFICATE;
}

bool source_verify_signature(
	const struct source *s, const struct signature_request *request, int64_t now_s, struct signature_report *ret)
{
	if (s->signer.scheme == SCHEME_ADYEN)
		return adyen_verify(&s->signer, request, now_s, ret);
	return signature_verify(&s->signer, request, now_s, ret);
}

/* The password comes first, since it costs less than a digest of the body. */
bool source_verify(
	const struct source *s, const struct signature_request *request, int64_t now_s, struct signature_report *ret)
{
	if (s->signer.basic.key && !signature_verify_basic(&s->signer, request, now_s, ret))
		return false;
	return source_verify_signature(s, request, now_s, ret);
}
