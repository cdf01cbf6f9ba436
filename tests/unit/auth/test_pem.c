/* test_pem.c - certificates and private keys in PEM, before TLS uses them. */

#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "auth/pem.h"

static EVP_PKEY *pair, *other;
static char certificate[4096], key[4096], other_key[4096], locked_key[4096];
static struct fault f;

static void take(BIO *bio, char *ret)
{
	int len = BIO_read(bio, ret, 4095);
	cr_assert_gt(len, 0);
	ret[len] = '\0';
	BIO_free(bio);
}

static void write_key(EVP_PKEY *from, const EVP_CIPHER *cipher, char *ret)
{
	BIO *bio = BIO_new(BIO_s_mem());
	cr_assert(PEM_write_bio_PrivateKey(bio, from, cipher, (const unsigned char *)"hunter2", 7, NULL, NULL));
	take(bio, ret);
}

static void write_certificate(void)
{
	X509 *x = X509_new();
	BIO *bio = BIO_new(BIO_s_mem());
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, pair);
	cr_assert_gt(X509_sign(x, pair, EVP_sha256()), 0);
	cr_assert(PEM_write_bio_X509(bio, x));
	take(bio, certificate);
	X509_free(x);
}

static void make(void)
{
	pair = EVP_EC_gen("P-256");
	other = EVP_EC_gen("P-256");
	write_certificate();
	write_key(pair, NULL, key);
	write_key(other, NULL, other_key);
	write_key(pair, EVP_aes_128_cbc(), locked_key);
}

static void unmake(void)
{
	EVP_PKEY_free(pair);
	EVP_PKEY_free(other);
}

TestSuite(pem, .init = make, .fini = unmake);

static void refuses(bool good, const char *why)
{
	cr_expect_not(good);
	cr_expect_not_null(strstr(f.text, why), "\"%s\" lacks \"%s\"", f.text, why);
}

Test(pem, takes_one_certificate_or_several)
{
	char text[3 * sizeof certificate];
	cr_expect(pem_check_certificates(certificate, strlen(certificate), &f), "%s", f.text);
	int len = snprintf(text, sizeof text, "a comment\n%s%s%s", certificate, key, certificate);
	cr_expect(pem_check_certificates(text, (size_t)len, &f), "%s", f.text);
}

Test(pem, refuses_what_is_no_certificate)
{
	char broken[2 * sizeof certificate];
	refuses(pem_check_certificates("", 0, &f), "it has no certificate in PEM");
	refuses(pem_check_certificates(key, strlen(key), &f), "it has no certificate in PEM");
	refuses(pem_check_certificates("hunter2", 7, &f), "it has no certificate in PEM");
	int len = snprintf(broken, sizeof broken, "%s%s", certificate, certificate);
	broken[len - 60] = '!';
	refuses(pem_check_certificates(broken, (size_t)len, &f), "a certificate in it cannot be read");
}

Test(pem, takes_the_key_of_the_certificate_only)
{
	size_t len = strlen(certificate);
	cr_expect(pem_check_key(key, strlen(key), certificate, len, &f), "%s", f.text);
	refuses(pem_check_key(other_key, strlen(other_key), certificate, len, &f), "not that of the certificate");
	refuses(pem_check_key(certificate, len, certificate, len, &f), "no private key");
	refuses(pem_check_key("", 0, certificate, len, &f), "no private key");
	refuses(pem_check_key(locked_key, strlen(locked_key), certificate, len, &f), "without a passphrase");
}
