/* beside.c - a load in a thread. */

#include "beside.h"

static void *run(void *arg)
{
	struct beside *b = arg;
	b->ok = generator_run(&b->plan, &b->result, &b->fault);
	return NULL;
}

bool beside_begin(struct beside *b, struct generator_plan plan, struct fault *f)
{
	b->plan = plan;
	return pthread_create(&b->thread, NULL, run, b) == 0 ||
	       fault_set(f, FAULT_BUSY, "a thread of the load cannot be started");
}

bool beside_end(struct beside *b, struct fault *f)
{
	pthread_join(b->thread, NULL);
	if (!b->ok)
		*f = b->fault;
	return b->ok;
}
