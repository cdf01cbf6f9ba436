/* pem.c - checks certificates and private keys in PEM.
 *
 * Beside digest.c it is the only file that uses OpenSSL's libcrypto.  Whether a certificate is valid now, and whether
 * anybody trusts it, shows in the connection for which it is used. */

#include "auth/pem.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

static void pem_free_bio(BIO **bio)
{
	BIO_free(*bio);
}

static void pem_free_certificate(X509 **certificate)
{
	X509_free(*certificate);
}

static void pem_free_key(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

/* Counts the certificates of the text; -1: one of them cannot be read.  The text ends where no other block begins. */
static int count_certificates(BIO *text)
{
	int count = 0;
	for (X509 *certificate; (certificate = PEM_read_bio_X509(text, NULL, NULL, NULL)); count++)
		X509_free(certificate);
	unsigned long why = ERR_peek_last_error();
	bool is_end = ERR_GET_LIB(why) == ERR_LIB_PEM && ERR_GET_REASON(why) == PEM_R_NO_START_LINE;
	ERR_clear_error();
	return is_end ? count : -1;
}

bool pem_check_certificates(const char *text, size_t len, struct fault *f)
{
	CLEANUP(pem_free_bio) BIO *bio = BIO_new_mem_buf(text, (int)len);
	int count = bio ? count_certificates(bio) : -1;
	if (count < 0)
		return fault_set(f, FAULT_INPUT, "a certificate in it cannot be read");
	return count > 0 || fault_set(f, FAULT_INPUT, "it has no certificate in PEM (BEGIN CERTIFICATE)");
}

/* In the place of a question at the terminal. */
static int pem_no_passphrase(char *ret, int size, int writes, void *arg)
{
	(void)ret, (void)size, (void)writes, (void)arg;
	return -1;
}

bool pem_check_key(const char *text, size_t len, const char *certificate, size_t certificate_len, struct fault *f)
{
	CLEANUP(pem_free_bio) BIO *key_text = BIO_new_mem_buf(text, (int)len);
	CLEANUP(pem_free_bio) BIO *certificate_text = BIO_new_mem_buf(certificate, (int)certificate_len);
	CLEANUP(pem_free_key)
	EVP_PKEY *key = key_text ? PEM_read_bio_PrivateKey(key_text, NULL, pem_no_passphrase, NULL) : NULL;
	CLEANUP(pem_free_certificate)
	X509 *first = certificate_text ? PEM_read_bio_X509(certificate_text, NULL, pem_no_passphrase, NULL) : NULL;
	bool fits = key && first && X509_check_private_key(first, key) == 1;
	ERR_clear_error();
	if (!key)
		return fault_set(f, FAULT_INPUT, "it has no private key in PEM that can be read without a passphrase");
	return fits || fault_set(f, FAULT_INPUT, "the private key is not that of the certificate");
}
