// SPDX-License-Identifier: Apache-2.0
// What the parts are told at start, made out of the configuration: times become ticks, once.
#pragma once

#include <cstdint>

#include "config/config.h"
#include "replica/data_directory.h"
#include "replica/replica.h"
#include "server/by_hand.h"
#include "server/client_services.h"
#include "server/peer_links.h"
#include "store/hot_store.h"

namespace tanist::server {

inline constexpr std::uint32_t kTickMs = 10;

/// `addresses`: as others must use them, with the ports that were bound.
[[nodiscard]] replica::ReplicaOptions replica_options(const config::Config& config, const Addresses& addresses, const ByHand& by_hand);
[[nodiscard]] replica::DataDirectoryOptions data_directory_options(const config::Config& config, const ByHand& by_hand);
[[nodiscard]] store::HotStoreOptions hot_store_options(const config::Config& config);
[[nodiscard]] PeerLinksOptions peer_links_options(const config::Config& config, MemberId self, std::string password, std::uint64_t seed);
/// Half of the processors where the configuration leaves it to us: the log, the store and other processes need some as well.
[[nodiscard]] unsigned network_threads(const config::Config& config);
[[nodiscard]] ClientSettings client_settings(const config::Config& config);

}  // namespace tanist::server
