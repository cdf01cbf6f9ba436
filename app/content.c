/* content.c - the content of a request's body.
 *
 * What is read from a body is copied before the next request is served, so all requests decode into one buffer.  A body
 * without a content coding is not copied. */

#include "content.h"

#include "http/content_coding.h"
#include "runtime/settings.h"
#include "source/payload.h"

#define DECODED_KEEP (64 * 1024) /* bytes that stay allocated for the next body */

struct content content_raw(const struct request *rq)
{
	return (struct content){rq->body.data ? rq->body.data : "", rq->body.len};
}

bool content_decode(const struct request *rq, struct content *ret, struct fault *f)
{
	static struct buf decoded = {.max = PAYLOAD_MAX};
	struct content raw = content_raw(rq);
	enum content_coding coding;
	if (!content_coding_read(rq->content_encoding, &coding) || coding == CONTENT_CODING_NONE) {
		*ret = raw;
		return true;
	}
	buf_reset(&decoded, DECODED_KEEP);
	if (!content_coding_gunzip(raw.bytes, raw.len, (size_t)rq->service->settings->body_limit, &decoded, f))
		return false;
	*ret = (struct content){decoded.data ? decoded.data : "", decoded.len};
	return true;
}
