// SPDX-License-Identifier: Apache-2.0
#include "server/crypto.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>

#include "base/ensure.h"

namespace tanist::server {
namespace {

using Digest = std::array<unsigned char, kSha256Bytes>;

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
std::string text_of(const Digest& digest) { return {reinterpret_cast<const char*>(digest.data()), digest.size()}; }

}  // namespace

std::string sha256_hex(std::string_view text) {
    Digest digest;
    ENSURE(EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1);
    return hex(text_of(digest));
}

std::string hmac_sha256(std::string_view key, std::string_view text) {
    Digest digest;
    unsigned int size = 0;
    ENSURE(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(text), text.size(), digest.data(), &size) != nullptr);
    ENSURE(size == digest.size());
    return text_of(digest);
}

bool same_bytes(std::string_view a, std::string_view b) { return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0; }

std::string random_bytes(std::size_t count) {
    std::string bytes(count, '\0');
    ENSURE(RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) == 1);  // it waits rather than fail
    return bytes;
}

std::string hex(std::string_view bytes) {
    std::string digits;
    for (const char byte : bytes) digits += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return digits;
}

}  // namespace tanist::server
