#pragma once

#include "http.h"
#include "source/source.h"

/* The transactions of one webhook on their way: from its body, which is to be believed, to one answer. */
void submission_accept(struct request *rq, const struct source *source);
