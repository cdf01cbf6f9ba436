#pragma once

/* The ways in which providers authenticate their webhooks. */

enum scheme {
	SCHEME_STANDARD_WEBHOOKS,
	SCHEME_STRIPE,
	SCHEME_RAZORPAY,
	SCHEME_GITHUB,
	SCHEME_SQUARE,
	SCHEME_ADYEN,
	SCHEME_PAYPAL,
	SCHEME_HMAC,  /* any other provider that sends an HMAC in a header */
	SCHEME_TOKEN, /* no signature: the secret itself in a header */
	SCHEME_BASIC, /* no signature: HTTP Basic (RFC 7617) */
	SCHEME_RSA,   /* any other provider that sends an RSA signature of the body in a header */
};

#define SCHEME_COUNT (SCHEME_RSA + 1)

/* The name of the scheme in the configuration: "standard-webhooks", "stripe" ... "rsa". */
const char *scheme_name(enum scheme scheme);
