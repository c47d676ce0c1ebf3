// SPDX-License-Identifier: Apache-2.0
// What a person allows for one start, by a flag of the command line; nothing of it is ever done unasked.
#pragma once

namespace tanist::server {

struct ByHand {
    bool bootstrap = false;                 ///< form the cluster with whoever can be reached (S2)
    bool users_from_configuration = false;  ///< this node, once it is master, gives the cluster the users of its configuration
    bool cut_corrupt_log = false;           ///< the only voter gives up what follows the last good entry of its corrupt log (S9, S27)
};

}  // namespace tanist::server
