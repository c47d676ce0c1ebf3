// SPDX-License-Identifier: Apache-2.0
#include "core/membership/members.h"

#include <utility>

namespace tanist::core {

void Members::start_from(Membership below, Lsn at) {
    below_ = std::move(below);
    std::erase_if(logged_, [&](const Logged& l) { return l.lsn <= at; });
}

bool Members::append(const Entry& entry) {
    auto membership = decode_membership(entry.payload());
    if (!membership) return false;
    logged_.push_back({entry.lsn(), std::move(*membership)});
    return true;
}

void Members::cut(Lsn keep) {
    while (!logged_.empty() && logged_.back().lsn > keep) logged_.pop_back();
}

}  // namespace tanist::core
