// SPDX-License-Identifier: Apache-2.0
#include "server/resp/port.h"

namespace tanist::server::resp {

void Port::take(const config::RedisConfig& config) {
    idle_seconds_max = config.timeout_seconds;
    output_limits = config.client_output_buffer_limit;
    keys.set_classes(config.notify_keyspace_events);
    tracking.keys_max = config.tracking_table_max_keys;
    records.slower_than_us = config.slowlog_log_slower_than_us;
    records.slow_max = config.slowlog_max_len;
    records.latency_threshold_ms = config.latency_monitor_threshold_ms;
    records.percentiles = config.latency_tracking_info_percentiles.percents;
    records.acl_log.events_max = config.acllog_max_len;
    records.tracks_latency = config.latency_tracking == config::Switch::kYes;
    if (!records.tracks_latency) records.forget_latency_tracking();
}

}  // namespace tanist::server::resp
