/* circuit.c - a circuit breaker for the processor.
 *
 * Only probes prolong the pause: when the processor goes down, the calls that were under way all fail within
 * moments, and counting each of them would reach the longest pause at once.  At most one probe is under way, so an
 * open circuit costs the processor one call a pause for each worker. */

#include "circuit.h"

bool circuit_is_open(const struct circuit *c)
{
	return c->open_since_ms != 0;
}

bool circuit_admits(const struct circuit *c, int64_t now_ms)
{
	return !circuit_is_open(c) || (!c->probing && now_ms >= c->probe_after_ms);
}

int circuit_room(const struct circuit *c, int room, int64_t now_ms)
{
	if (!circuit_is_open(c))
		return room;
	return room > 0 && circuit_admits(c, now_ms) ? 1 : 0;
}

bool circuit_begin(struct circuit *c)
{
	c->probing = c->probing || circuit_is_open(c);
	return circuit_is_open(c);
}

/* The upper half of the pause is random, so that workers which noticed the same outage do not probe together. */
static void plan_probe(struct circuit *c, int64_t now_ms, uint64_t random)
{
	int64_t half_ms = c->pause_ms / 2;
	c->probe_after_ms = now_ms + half_ms + (int64_t)(random % (uint64_t)(half_ms + 1));
}

bool circuit_fail(struct circuit *c, bool probe, int64_t now_ms, uint64_t random)
{
	c->failures++;
	if (circuit_is_open(c)) {
		/* A call that began before the circuit opened. */
		if (!probe)
			return false;
		c->probing = false;
		c->pause_ms = c->pause_ms * 2 > CIRCUIT_PAUSE_MOST_MS ? CIRCUIT_PAUSE_MOST_MS : c->pause_ms * 2;
		plan_probe(c, now_ms, random);
		return false;
	}
	if (c->limit == 0 || c->failures < c->limit)
		return false;
	c->open_since_ms = now_ms;
	c->pause_ms = CIRCUIT_PAUSE_LEAST_MS;
	plan_probe(c, now_ms, random);
	return true;
}

bool circuit_answer(struct circuit *c)
{
	bool was_open = circuit_is_open(c);
	*c = (struct circuit){.limit = c->limit};
	return was_open;
}

/* The next probe may begin at once, as the pause before the cancelled one is over. */
void circuit_cancel(struct circuit *c, bool probe)
{
	if (probe)
		c->probing = false;
}
