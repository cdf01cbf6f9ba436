#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "json/config.h"
#include "source/mapping.h"
#include "source/source.h"

/* Reads the places of a filter and a mapping (source/places.h) from a source's configuration, and decides which of them the
 * source may read.  Mistakes are reported by json_config_complain(). */

/* The members by which a place can be given, each of which may be absent.  NULL: it has no meaning here. */
struct place_members {
	const struct json_place *at;      /* pointer */
	const struct json_place *header;  /* name */
	const struct json_place *body;    /* "sha256" */
	const struct json_place *request; /* "id" */
	const struct json_place *query;   /* name */
};

/* Whether one of the members is there. */
bool place_given(const struct place_members *m);

/* Reads the place into ret.  If none is given, "at" is reported as missing. */
void place_configure(const struct place_members *m, char ret[MAPPING_POINTER_MAX + 1]);

/* Reads an element of a list of places: a pointer, {"header": name}, {"query": name} or {"body": "sha256"}. */
void place_configure_element(const struct json_place *p, char ret[MAPPING_POINTER_MAX + 1]);

/* Reads a JSON pointer, which is not empty, into ret.  Complains and leaves ret alone if it is none. */
void place_configure_pointer(const struct json_place *p, char ret[MAPPING_POINTER_MAX + 1]);

/* Checks the places of a source after its scheme and mappings were read without a mistake, and sets its wanted.  filter and
 * mapping are the members that are complained of. */
void places_check(const struct json_place *filter, const struct json_place *mapping, struct source *s);
