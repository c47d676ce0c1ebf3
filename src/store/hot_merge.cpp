// SPDX-License-Identifier: Apache-2.0
#include "store/hot_merge.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace tanist::store {
namespace {

using Row = std::pair<std::string, std::string>;

/// The rows of the cold tier in a range, without those that an erased range covers.
class ColdRows {
public:
    ColdRows(const Store& cold, const HotGenerations& generations, const ScanRequest& request) : cold_(cold), request_(request) {
        for (const auto& generation : generations) {
            for (const ErasedRange& range : generation->erased) erased_.push_back(&range);
        }
    }

    /// The row that is next, null behind the last; it may be moved from.
    Result<Row*> peek() {
        while (true) {
            if (at_ == page_.rows.size()) {
                if (is_last_) return nullptr;
                if (auto status = read_page(); !status) return fail(std::move(status.error()));
                continue;
            }
            Row& row = page_.rows[at_];
            const auto range = std::ranges::find_if(erased_, [&](const ErasedRange* one) { return one->covers(row.first); });
            if (range == erased_.end()) return &row;
            skip_to((*range)->end);
        }
    }
    void next() { ++at_; }

private:
    Status read_page() {
        if (!page_.rows.empty()) request_.begin = last_key_ + '\0';  // the least key behind it
        auto page = cold_.scan(request_);
        if (!page) return fail(std::move(page.error()));
        page_ = std::move(*page);
        at_ = 0;
        is_last_ = !page_.more;
        if (!page_.rows.empty()) last_key_ = page_.rows.back().first;
        return {};
    }
    /// What lies below `key` is not wanted: rows at hand are stepped over, others not even read.
    void skip_to(const std::string& key) {
        while (at_ < page_.rows.size() && page_.rows[at_].first < key) ++at_;
        if (at_ < page_.rows.size() || is_last_) return;
        page_.rows.clear();
        at_ = 0;
        request_.begin = key;
        is_last_ = !request_.end.empty() && key >= request_.end;
    }

    const Store& cold_;
    ScanRequest request_;
    std::vector<const ErasedRange*> erased_;
    ScanRows page_;
    std::string last_key_;  ///< of page_, whose rows may have been moved from
    std::size_t at_ = 0;
    bool is_last_ = false;
};

}  // namespace

Result<ScanRows> merged_scan(const Store& cold, const HotOrder::Entries& pending, const HotGenerations& generations,
                             const ScanRequest& request) {
    ScanRows out;
    std::size_t bytes = 0;
    ColdRows rows(cold, generations, request);
    const auto is_in_range = [&](std::string_view key) { return request.end.empty() || key < request.end; };
    auto at = pending.lower_bound(std::string_view(request.begin));
    while (true) {
        auto row = rows.peek();
        if (!row) return fail(std::move(row.error()));
        const HotEntry* entry = at != pending.end() && is_in_range((*at)->key()) ? *at : nullptr;
        if (*row == nullptr && entry == nullptr) return out;
        const bool takes_entry = entry != nullptr && (*row == nullptr || entry->key() <= (*row)->first);
        const bool takes_row = *row != nullptr && (entry == nullptr || (*row)->first <= entry->key());
        if (!takes_entry || entry->exists()) {
            if (!out.rows.empty() && (out.rows.size() >= request.rows_max || bytes >= request.bytes_max)) {
                out.more = true;
                return out;
            }
            out.rows.push_back(takes_entry ? Row(entry->key(), entry->value()) : std::move(**row));
            bytes += out.rows.back().first.size() + out.rows.back().second.size();
        }
        if (takes_entry) ++at;
        if (takes_row) rows.next();
    }
}

}  // namespace tanist::store
