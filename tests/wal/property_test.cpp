// SPDX-License-Identifier: Apache-2.0
// Random work on a log, with crashes, kills and clean stops anywhere in it, held against a model after each start.
#include <cstdlib>

#include "tests/wal/history.h"

namespace tanist::wal {
namespace {

constexpr int kSteps = 120;

/// One history, drawn from `seed`.
class RandomWork {
public:
    explicit RandomWork(std::uint64_t seed) : random_(seed), history_(seed) {}

    void run() {
        start();
        for (int i = 0; i < kSteps && !testing::Test::HasFailure(); ++i) {
            if (random_.chance(1, 15)) files_.fail_from(files_.operations() + random_.between(1, 12));
            const auto status = step();
            EXPECT_THAT(status ? "power" : status.error().message, testing::HasSubstr("power"));
            if (!status || random_.chance(1, 12)) stop();
        }
        stop();
    }

private:
    Status step() {
        const Epoch epoch = std::max(Epoch{1}, history_.now().last().epoch);
        const auto& now = history_.now();
        const Lsn base = now.base.lsn, last = now.last().lsn, durable{base.value + now.durable};
        switch (random_.below(12)) {
            case 0:
            case 1:
            case 2: return history_.append(*log_, epoch, static_cast<int>(random_.between(1, 6)));
            case 3: return history_.append(*log_, epoch.next(), static_cast<int>(random_.between(1, 40)));
            case 4: return history_.write(*log_, epoch, static_cast<int>(random_.between(1, 6)));
            case 5: return history_.append(*log_, epoch, 1, random_.between(300, 9000));
            case 6: return confirm();
            case 7: return history_.cut(*log_, Lsn{random_.between(base.value, last.value)});
            case 8: return history_.recycle(*log_, Lsn{random_.between(base.value, durable.value)});
            case 9: {
                const auto more = log_->prepare_spare();
                return more ? Status{} : fail(more.error());
            }
            case 10:
                if (random_.chance(3, 4)) return history_.sync(*log_);
                return history_.reset(*log_,
                                      {epoch.next(), Lsn{last.value + random_.between(1, 50)}, static_cast<std::uint32_t>(random_.next())});
            default: EXPECT_EQ(ids_in(*log_), ids_of(now.entries)); return {};
        }
    }

    Status confirm() {
        if (auto status = history_.sync(*log_); !status) return status;
        return log_->confirm();
    }

    /// The process ends, in one way or another, and the log is opened again; that may be cut short, too.
    void stop() {
        const std::uint64_t how = random_.below(4);
        if (how == 0 && log_->close().has_value()) {
            Outcome all = history_.now();
            all.durable = all.entries.size();
            history_.set(all);
        }
        log_.reset();
        how < 2 ? files_.kill() : files_.crash(random_);
        while (random_.chance(1, 3)) {
            files_.fail_from(files_.operations() + random_.between(1, 12));
            static_cast<void>(try_open(files_, small_log(), random_.next()));
            files_.crash(random_);
        }
        files_.fail_from(0);
        start();
    }

    void start() {
        log_ = open_log(files_, small_log(), random_.next());
        if (!log_) return;
        EXPECT_NE(log_->tail(), Tail::kCorrupt) << log_->found().where;
        EXPECT_NE(log_->tail(), Tail::kUnbounded) << log_->found().where;
        history_.check(*log_);
        history_.settle(*log_, random_.next());
    }

    Random random_;
    MemoryFileSystem files_;
    History history_;
    std::unique_ptr<Log> log_;
};

/// TANIST_WAL_SEED=n runs that one seed, TANIST_WAL_SEEDS=n so many.
std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
    const char* text = std::getenv(variable);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

TEST(Property, NoRandomWorkAndCrashesLoseOrInventARecord) {
    const std::uint64_t only = number_from("TANIST_WAL_SEED", 0);
    const std::uint64_t first = only ? only : 1, count = only ? 1 : number_from("TANIST_WAL_SEEDS", 300);
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        RandomWork(seed).run();
        ASSERT_FALSE(HasFailure()) << "replay with TANIST_WAL_SEED=" << seed;
    }
}

}  // namespace
}  // namespace tanist::wal
