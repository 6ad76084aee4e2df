/*
 * The work of bench/wasm/work.ts with OpenSSL's EVP interface at its best: contexts are made once, and a message sets only its
 * nonce; each HMAC context is keyed once and started again without a key (EVP_MAC_init with NULL).
 * It does the cryptography alone: nothing is parsed, checked, masked or laid out.
 *
 * usage: peer WORKFILE            commands on stdin, one a line:
 *   time chacha|aes PASSES     prints the nanoseconds that the passes took
 *   save chacha|aes FILE       writes what one pass makes: per record five codes of 16 octets, full view, masked view
 *   quit
 * Prints "ready VERSION" first. Exit code 1 when something fails.
 */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TAG = 16, CODE = 16, NONCE = 12, PURPOSES = 5, POSITION_AT = 26, CHACHA = 0, AES = 1 };

typedef struct {
  const uint8_t *data;
  uint32_t length;
} Bytes;

typedef struct {
  uint32_t first, count;
  uint8_t nonce[NONCE];
  Bytes sealed[2], plain; /* sealed by each cipher */
} Unit;

typedef struct {
  Bytes content, values[4], full_aad, full, masked_aad, masked;
  uint8_t full_nonce[NONCE], masked_nonce[NONCE];
  uint8_t *out; /* five codes, full view and tag, masked view and tag */
} Item;

typedef struct {
  EVP_CIPHER_CTX *open, *full, *masked;
} Ciphers;

static Unit *units;
static Item *items;
static uint32_t unit_count, item_count;
static Ciphers ciphers[2];
static EVP_MAC_CTX *macs[PURPOSES];
static uint8_t plain[32768];
static const char *const names[2] = {"ChaCha20-Poly1305", "AES-256-GCM"};

static void fail(const char *what) {
  fprintf(stderr, "peer: %s\n", what);
  exit(1);
}

static void check(int ok, const char *what) {
  if (ok != 1) fail(what);
}

static void *take(size_t size) {
  void *memory = calloc(1, size);
  if (memory == NULL) fail("out of memory");
  return memory;
}

/* Reading the file. */

static const uint8_t *at, *end;

static const uint8_t *fixed(size_t length) {
  if ((size_t)(end - at) < length) fail("the file ends early");
  at += length;
  return at - length;
}

static uint32_t number(void) {
  const uint8_t *p = fixed(4);
  return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static Bytes variable(void) {
  Bytes bytes;
  bytes.length = number();
  bytes.data = fixed(bytes.length);
  return bytes;
}

static void parcel_nonce(uint8_t *nonce, Bytes aad) {
  memset(nonce, 0, NONCE);
  memcpy(nonce + 4, aad.data + POSITION_AT, 8);
}

/* The cryptography. */

static EVP_CIPHER_CTX *keyed(const char *name, const uint8_t *key, int encrypt) {
  EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
  if (cipher == NULL || context == NULL) fail("no such cipher");
  check(EVP_CipherInit_ex2(context, cipher, key, NULL, encrypt, NULL), "key");
  EVP_CIPHER_free(cipher);
  return context;
}

static EVP_MAC_CTX *keyed_mac(const uint8_t *key) {
  EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
  EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
  OSSL_PARAM params[2];
  if (mac == NULL || context == NULL) fail("no HMAC");
  params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, "SHA256", 0);
  params[1] = OSSL_PARAM_construct_end();
  check(EVP_MAC_init(context, key, 32, params), "HMAC key");
  EVP_MAC_free(mac);
  return context;
}

static void open_unit(EVP_CIPHER_CTX *context, const uint8_t *nonce, Bytes sealed) {
  int length, rest;
  const int size = (int)sealed.length - TAG;
  check(EVP_DecryptInit_ex(context, NULL, NULL, NULL, nonce), "nonce");
  check(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG, (void *)(sealed.data + size)), "tag");
  check(EVP_DecryptUpdate(context, plain, &length, sealed.data, size), "open");
  check(EVP_DecryptFinal_ex(context, plain + length, &rest), "a wrong tag");
}

static uint8_t *seal(EVP_CIPHER_CTX *context, const uint8_t *nonce, Bytes aad, Bytes text, uint8_t *out) {
  int length, rest;
  check(EVP_EncryptInit_ex(context, NULL, NULL, NULL, nonce), "nonce");
  if (aad.length > 0) check(EVP_EncryptUpdate(context, NULL, &length, aad.data, (int)aad.length), "aad");
  check(EVP_EncryptUpdate(context, out, &length, text.data, (int)text.length), "seal");
  check(EVP_EncryptFinal_ex(context, out + length, &rest), "seal");
  out += length + rest;
  check(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG, out), "tag");
  return out + TAG;
}

static uint8_t *code(EVP_MAC_CTX *context, Bytes value, uint8_t *out) {
  uint8_t digest[32];
  size_t length;
  if (value.length == 0) {
    memset(out, 0, CODE);
    return out + CODE;
  }
  check(EVP_MAC_init(context, NULL, 0, NULL), "HMAC");
  check(EVP_MAC_update(context, value.data, value.length), "HMAC");
  check(EVP_MAC_final(context, digest, &length, sizeof digest), "HMAC");
  memcpy(out, digest, CODE);
  return out + CODE;
}

static void pass(int kind) {
  const Ciphers *cipher = &ciphers[kind];
  for (uint32_t u = 0; u < unit_count; u++) {
    const Unit *unit = &units[u];
    open_unit(cipher->open, unit->nonce, unit->sealed[kind]);
    for (uint32_t i = unit->first; i < unit->first + unit->count; i++) {
      const Item *item = &items[i];
      uint8_t *out = code(macs[4], item->content, item->out);
      for (int purpose = 0; purpose < 4; purpose++) out = code(macs[purpose], item->values[purpose], out);
      out = seal(cipher->full, item->full_nonce, item->full_aad, item->full, out);
      seal(cipher->masked, item->masked_nonce, item->masked_aad, item->masked, out);
    }
  }
}

/* Once more, with the opened octets compared. */
static void prove(int kind) {
  for (uint32_t u = 0; u < unit_count; u++) {
    open_unit(ciphers[kind].open, units[u].nonce, units[u].sealed[kind]);
    if (memcmp(plain, units[u].plain.data, units[u].plain.length) != 0) fail("opened to something else");
  }
}

static size_t out_size(const Item *item) {
  return PURPOSES * CODE + item->full.length + TAG + item->masked.length + TAG;
}

static void load(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL || fseek(file, 0, SEEK_END) != 0) fail("no file");
  const long size = ftell(file);
  rewind(file);
  uint8_t *data = take((size_t)size);
  if (fread(data, 1, (size_t)size, file) != (size_t)size) fail("the file can't be read");
  fclose(file);
  at = data;
  end = data + size;

  unit_count = number();
  item_count = number();
  units = take(unit_count * sizeof *units);
  items = take(item_count * sizeof *items);
  const uint8_t *key = fixed(32), *base = fixed(NONCE);
  for (int purpose = 0; purpose < PURPOSES; purpose++) macs[purpose] = keyed_mac(fixed(32));
  const uint8_t *full_key = fixed(32), *masked_key = fixed(32);
  for (int kind = CHACHA; kind <= AES; kind++) {
    ciphers[kind].open = keyed(names[kind], key, 0);
    ciphers[kind].full = keyed(names[kind], full_key, 1);
    ciphers[kind].masked = keyed(names[kind], masked_key, 1);
  }
  EVP_CIPHER_CTX *sealer = keyed(names[AES], key, 1);
  for (uint32_t u = 0; u < unit_count; u++) {
    Unit *unit = &units[u];
    unit->first = number();
    unit->count = number();
    unit->sealed[CHACHA] = variable();
    unit->plain = variable();
    if (unit->sealed[CHACHA].length > sizeof plain) fail("a unit is too large");
    memcpy(unit->nonce, base, NONCE);
    for (int i = 0; i < 4; i++) unit->nonce[NONCE - 1 - i] ^= (uint8_t)(u >> (8 * i));
    uint8_t *sealed = take(unit->plain.length + TAG);
    const Bytes none = {NULL, 0};
    seal(sealer, unit->nonce, none, unit->plain, sealed);
    unit->sealed[AES] = (Bytes){sealed, unit->plain.length + TAG};
  }
  for (uint32_t i = 0; i < item_count; i++) {
    Item *item = &items[i];
    item->content = variable();
    for (int purpose = 0; purpose < 4; purpose++) item->values[purpose] = variable();
    item->full_aad = variable();
    item->full = variable();
    item->masked_aad = variable();
    item->masked = variable();
    if (item->full_aad.length < POSITION_AT + 8 || item->masked_aad.length < POSITION_AT + 8) fail("aad");
    parcel_nonce(item->full_nonce, item->full_aad);
    parcel_nonce(item->masked_nonce, item->masked_aad);
    item->out = take(out_size(item));
  }
}

static void save(const char *path) {
  FILE *file = fopen(path, "wb");
  if (file == NULL) fail("the result can't be written");
  for (uint32_t i = 0; i < item_count; i++) {
    if (fwrite(items[i].out, out_size(&items[i]), 1, file) != 1) fail("the result can't be written");
  }
  if (fclose(file) != 0) fail("the result can't be written");
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

int main(int argc, char **argv) {
  char line[4096], what[8], cipher[8], rest[4000];
  if (argc != 2) fail("usage: peer WORKFILE");
  load(argv[1]);
  printf("ready %s\n", OpenSSL_version(OPENSSL_VERSION));
  fflush(stdout);
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (sscanf(line, "%7s %7s %3999s", what, cipher, rest) != 3) break;
    const int kind = strcmp(cipher, "aes") == 0 ? AES : CHACHA;
    if (strcmp(what, "save") == 0) {
      prove(kind);
      pass(kind);
      save(rest);
      printf("saved\n");
    } else {
      const long passes = atol(rest);
      const double start = now();
      for (long i = 0; i < passes; i++) pass(kind);
      printf("%.0f\n", now() - start);
    }
    fflush(stdout);
  }
  return 0;
}
