// SPDX-License-Identifier: Apache-2.0
// An arena on the stack for one Protobuf message: small ones are built and parsed without touching the heap. For codecs only.
#pragma once

#include <google/protobuf/arena.h>

#include <array>
#include <cstddef>

namespace tanist::protocol {

template <class Message>
class ScratchArena {
public:
    ScratchArena() : arena_(block_.data(), block_.size()), message_(*google::protobuf::Arena::CreateMessage<Message>(&arena_)) {}

    [[nodiscard]] Message& message() { return message_; }

private:
    alignas(std::max_align_t) std::array<char, 2048> block_;
    google::protobuf::Arena arena_;
    Message& message_;
};

}  // namespace tanist::protocol
