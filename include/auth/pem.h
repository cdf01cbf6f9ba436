#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/fault.h"

/* Checks certificates and private keys in PEM (RFC 7468) before they are used for TLS, so that a wrong file is an error
 * when it is read and not of each connection. */

/* Whether the text has a certificate that can be read, and no other that cannot.  FAULT_INPUT, without a quotation. */
MUST_USE bool pem_check_certificates(const char *text, size_t len, struct fault *f);

/* Whether the text has a private key without a passphrase, which is that of the first certificate.  FAULT_INPUT, without
 * a quotation. */
MUST_USE bool pem_check_key(
	const char *text, size_t len, const char *certificate, size_t certificate_len, struct fault *f);
