// SPDX-License-Identifier: Apache-2.0
#include "cli/transfer.h"

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <unordered_set>

#include "cli/json.h"
#include "cli/progress.h"
#include "cli/records.h"

namespace tanist::cli {
namespace {

constexpr std::size_t kBatchRecords = 256, kBatchBytes = 256 << 10;
constexpr std::size_t kBatchesInFlight = 32;

/// Collects records into batches and keeps many batches in flight. A key that is in flight waits until it has landed, so that of
/// two records with one key the later one wins.
class Importer {
public:
    explicit Importer(Session& session) : session_(session) {}
    ~Importer() { settle(0); }
    Importer(const Importer&) = delete;
    Importer& operator=(const Importer&) = delete;

    void add(Record record, std::uint64_t line) {
        if (keys_in_flight_.contains(record.key)) {
            flush();
            settle(0);
            keys_in_flight_.clear();
        }
        if (batch_.commands.empty()) first_line_ = line;
        last_line_ = line;
        bytes_ += record.key.size() + record.value.size();
        batch_.commands.emplace_back(client::Put{std::move(record.key), std::move(record.value)});
        if (batch_.commands.size() >= kBatchRecords || bytes_ >= kBatchBytes) flush();
    }

    /// Sends what has been collected; waits while too many are in flight.
    void flush() {
        if (batch_.commands.empty()) return;
        settle(kBatchesInFlight - 1);
        if (keys_in_flight_.size() > kBatchesInFlight * kBatchRecords * 4) {
            settle(0);
            keys_in_flight_.clear();
        }
        const std::size_t records = batch_.commands.size();
        for (const auto& command : batch_.commands) keys_in_flight_.insert(std::get<client::Put>(command).key);
        {
            const std::lock_guard lock(mutex_);
            ++in_flight_;
        }
        const auto lines = std::pair(first_line_, last_line_);
        session_.client().send(
            std::exchange(batch_, {}), [this, records, lines](client::Result<client::BatchDone> result) { landed(result, records, lines); },
            session_.options());
        bytes_ = 0;
    }

    /// Waits until at most `most` batches are in flight.
    void settle(std::size_t most) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return in_flight_ <= most; });
    }

    [[nodiscard]] std::uint64_t imported() const {
        const std::lock_guard lock(mutex_);
        return imported_;
    }
    [[nodiscard]] std::optional<Failure> failure() const {
        const std::lock_guard lock(mutex_);
        return failure_;
    }

private:
    void landed(const client::Result<client::BatchDone>& result, std::size_t records, std::pair<std::uint64_t, std::uint64_t> lines) {
        const std::lock_guard lock(mutex_);
        --in_flight_;
        if (result) {
            imported_ += records;
        } else if (!failure_ || result.error().outcome == client::Outcome::kUnknown) {
            failure_ = to_failure(result.error());
            failure_->message = fmt::format("lines {} to {}: {}", lines.first, lines.second, failure_->message);
        }
        changed_.notify_one();
    }

    Session& session_;
    client::Batch batch_;
    std::size_t bytes_ = 0;
    std::uint64_t first_line_ = 0, last_line_ = 0;
    std::unordered_set<std::string> keys_in_flight_;  ///< or landed since it was last cleared

    mutable std::mutex mutex_;  ///< guards what follows, which the client's thread changes
    std::condition_variable changed_;
    std::size_t in_flight_ = 0;
    std::uint64_t imported_ = 0;
    std::optional<Failure> failure_;
};

std::string name_of(const std::string& file) { return file == "-" ? "standard input" : file; }

}  // namespace

Expected<Exit> run(Session& session, const ImportCommand& command) {
    std::ifstream opened;
    std::optional<std::uint64_t> size;
    if (command.file != "-") {
        opened.open(command.file, std::ios::binary);
        std::error_code unknown;
        const auto bytes = std::filesystem::file_size(command.file, unknown);
        if (!opened || std::filesystem::is_directory(command.file, unknown)) return usage("import: {}: cannot be read", command.file);
        if (bytes != static_cast<std::uintmax_t>(-1)) size = bytes;
    }
    LineReader reader(command.file == "-" ? session.streams().in : opened);
    Progress progress(session.streams(), "import", size);
    Importer importer(session);
    std::uint64_t skipped = 0;
    std::optional<Failure> bad;
    while (!bad && !importer.failure() && reader.next()) {
        if (reader.line().empty()) continue;
        auto record = reader.too_long() ? Expected<Record>(usage("a line longer than {} bytes is no record", LineReader::kLineBytesMax))
                                        : parse_record(reader.line(), command.format);
        if (record) {
            record->key.insert(0, command.prefix);
            importer.add(std::move(*record), reader.number());
        } else {
            progress.erase();
            const std::string message = fmt::format("import: {}:{}: {}", name_of(command.file), reader.number(), record.error().message);
            if (command.skip_bad) {
                session.tell(message);
                ++skipped;
            } else {
                bad = Failure{Exit::kUsage, message};
            }
        }
        progress.update(importer.imported(), reader.bytes_read());
    }
    if (!importer.failure()) importer.flush();
    importer.settle(0);
    progress.erase();
    const auto summary = fmt::format("{} records written{}, {}, in {:.1f} s", importer.imported(),
                                     skipped > 0 ? fmt::format(", {} bad lines left out", skipped) : "",
                                     human_bytes(static_cast<double>(reader.bytes_read())), progress.elapsed().count());
    if (const auto failure = importer.failure()) return fail(failure->exit, "import: {}; {}", failure->message, summary);
    if (bad) return fail(bad->exit, "{}; {} (--skip-bad goes on)", bad->message, summary);
    if (session.settings().json) {
        session.streams().out << JsonObject().number("imported", importer.imported()).number("skipped", skipped).take() << '\n';
    } else {
        session.tell("import: " + summary);
    }
    return Exit::kOk;
}

Expected<Exit> run(Session& session, const ExportCommand& command) {
    std::ofstream opened;
    if (command.file != "-") {
        opened.open(command.file, std::ios::binary | std::ios::trunc);
        if (!opened) return usage("export: {}: cannot be written", command.file);
    }
    std::ostream& out = command.file == "-" ? session.streams().out : opened;

    // The first look raises the session's token to the newest state; all pages are then at least as new as that.
    client::Scan look = command.range;
    look.limit = 1;
    look.keys_only = true;
    const auto looked = session.read([&](const client::CallOptions& options) { return session.client().scan(look, options); });
    if (!looked) return tl::unexpected(to_failure(looked.error()));

    Progress progress(session.streams(), "export", std::nullopt);
    auto rows = session.client().rows(command.range, session.options());
    std::string text;
    std::uint64_t records = 0, bytes = 0;
    for (;;) {
        auto row = rows.next();
        if (!row) {
            out << text << std::flush;
            auto failure = to_failure(row.error());
            return fail(failure.exit, "export: after {} records: {}", records, failure.message);
        }
        if (*row) {
            append_record(text, (*row)->key, (*row)->value, command.format);
            ++records;
        }
        if (!*row || text.size() >= kBatchBytes) {
            bytes += text.size();
            out << text;
            text.clear();
            progress.update(records, bytes);
            if (!out)
                return usage("export: {}: writing failed after {} records", command.file == "-" ? "standard output" : command.file,
                             records);
        }
        if (!*row) break;
    }
    out.flush();
    if (!out) return usage("export: {}: writing failed", command.file == "-" ? "standard output" : command.file);
    progress.erase();
    if (session.streams().err_is_terminal || command.file != "-") {
        session.tell(fmt::format("export: {} records, {}, in {:.1f} s", records, human_bytes(static_cast<double>(bytes)),
                                 progress.elapsed().count()));
    }
    return Exit::kOk;
}

}  // namespace tanist::cli
