// SPDX-License-Identifier: Apache-2.0
// What operators may do to the node through RESP: see and change its configuration, have the state stored, end it.
#pragma once

#include <cstdint>
#include <functional>

#include "base/number.h"
#include "base/result.h"
#include "config/config.h"

namespace tanist::server::resp {

struct Administration {
    std::function<const config::Config&()> config;
    std::function<void(config::Config)> change_config;  ///< takes over what can be changed while running; it has been validated
    std::function<Status()> rewrite_config;             ///< writes what was changed into the file that it came from
    std::function<Status()> store_state;                ///< begins to make what is applied part of the store on disk
    std::function<Lsn()> stored;                        ///< as far as that has got
    std::function<std::uint64_t()> last_stored_at;      ///< seconds since 1970: when the last SAVE was through, or the node started
    std::function<void()> reset_statistics;             ///< of INFO: those that are not the port's records
    std::function<void()> shut_down;                    ///< as SIGTERM
};

}  // namespace tanist::server::resp
