// SPDX-License-Identifier: Apache-2.0
#include "server/resp/replies.h"

namespace tanist::server::resp {

void encode(protocol::RespEncoder& to, const commands::Reply& reply, Cursors& cursors) {
    using Kind = commands::Reply::Kind;
    switch (reply.kind) {
        case Kind::kNil: return to.null();
        case Kind::kStatus: return to.simple(reply.text);
        case Kind::kInteger: return to.integer(reply.integer);
        case Kind::kBulk: return to.bulk(reply.text);
        case Kind::kError: return to.error(reply.text);
        case Kind::kCursor: return to.bulk(std::to_string(reply.text.empty() ? 0 : cursors.give_out(reply.text)));
        case Kind::kArray: to.array(reply.elements.size()); break;
        case Kind::kMap: to.map(reply.elements.size() / 2); break;
    }
    for (const commands::Reply& element : reply.elements) encode(to, element, cursors);
}

}  // namespace tanist::server::resp
