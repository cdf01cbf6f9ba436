/* scheme.c - the names of the signature schemes. */

#include "auth/scheme.h"

static const char *const NAMES[SCHEME_COUNT] = {
	[SCHEME_STANDARD_WEBHOOKS] = "standard-webhooks",
	[SCHEME_STRIPE] = "stripe",
	[SCHEME_RAZORPAY] = "razorpay",
	[SCHEME_GITHUB] = "github",
	[SCHEME_SQUARE] = "square",
	[SCHEME_ADYEN] = "adyen",
	[SCHEME_PAYPAL] = "paypal",
	[SCHEME_HMAC] = "hmac",
	[SCHEME_TOKEN] = "token",
	[SCHEME_BASIC] = "basic",
	[SCHEME_RSA] = "rsa",
};

const char *scheme_name(enum scheme scheme)
{
	return NAMES[scheme];
}
