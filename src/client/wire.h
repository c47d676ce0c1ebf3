// SPDX-License-Identifier: Apache-2.0
// Between the public structs and the protocol's messages: each request to its body, each reply to its result.
#pragma once

#include <string>
#include <string_view>

#include "client/call.h"
#include "tanist/error.h"
#include "tanist/requests.h"

namespace tanist::client {

struct Encoded {
    Kind kind = Kind::kRead;
    std::string_view name;
    native::RequestBody body;
    std::size_t bytes = 0;  ///< of keys and values
};

[[nodiscard]] Result<Encoded> encode(Get request);
[[nodiscard]] Result<Encoded> encode(GetMany request);
[[nodiscard]] Result<Encoded> encode(Scan request);
[[nodiscard]] Result<Encoded> encode(Put request);
[[nodiscard]] Result<Encoded> encode(Delete request);
[[nodiscard]] Result<Encoded> encode(CompareAndSet request);
[[nodiscard]] Result<Encoded> encode(CompareAndDelete request);
[[nodiscard]] Result<Encoded> encode(Increment request);
[[nodiscard]] Result<Encoded> encode(Batch request);
[[nodiscard]] Result<Encoded> encode(GetStatus request);
[[nodiscard]] Result<Encoded> encode(Switchover request);

/// A reply that is no answer to such a request is an Error.
template <class Request>
[[nodiscard]] Result<typename Request::Reply> decode(native::Reply reply);

[[nodiscard]] native::ReadLevel to_wire(ReadLevel level);
[[nodiscard]] native::WriteLevel to_wire(WriteLevel level);

}  // namespace tanist::client
