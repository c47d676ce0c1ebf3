// SPDX-License-Identifier: Apache-2.0
// Stories of several nodes as data: testdata/*.txt holds commands, and below each what the nodes did about it. `core_test --rewrite`
// writes down what they do now, to be reviewed as a diff.
//
//   cluster nodes=3 [witness=3] [election-timeout=10] [seed=1]   the first command; formed and settled before it answers
//   run TICKS | settle | status
//   tick N times=K                                               one node alone; nothing arrives
//   isolate N | cut from=N to=M | heal | kill N [power=cut] | start N | destroy N from=LSN through=LSN
//   propose N TEXT | read N | switchover N [to=M] | shutdown N   answered by what the node had said by the end of the command
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>

#include "tests/core/cluster.h"
#include "tests/core/story_options.h"

namespace tanist::core::testing {

bool rewrite_stories = false;

namespace {

/// A command's words: `name`, what stands by itself, and what is given as key=value.
struct Line {
    std::string name;
    std::vector<std::string> words;
    std::map<std::string, std::uint64_t> numbers;

    [[nodiscard]] NodeId node() const { return {std::stoull(words.at(0))}; }
    [[nodiscard]] std::uint64_t number(const std::string& key, std::uint64_t otherwise) const {
        const auto found = numbers.find(key);
        return found == numbers.end() ? otherwise : found->second;
    }
    [[nodiscard]] std::string text(std::size_t from) const {
        std::string all;
        for (std::size_t i = from; i < words.size(); ++i) all += (all.empty() ? "" : " ") + words[i];
        return all;
    }
};

Line parse(const std::string& text) {
    Line line;
    std::istringstream in(text);
    in >> line.name;
    for (std::string word; in >> word;) {
        const auto equals = word.find('=');
        if (equals == std::string::npos) {
            line.words.push_back(word);
        } else {
            line.numbers[word.substr(0, equals)] = std::stoull(word.substr(equals + 1));
        }
    }
    return line;
}

class Story {
public:
    /// What the nodes did about it.
    std::string run(const Line& line) {
        static const std::map<std::string, void (Story::*)(const Line&)> kCommands = {
            {"cluster", &Story::make},      {"run", &Story::run_ticks},
            {"settle", &Story::settle},     {"status", &Story::status},
            {"tick", &Story::tick},         {"isolate", &Story::isolate},
            {"cut", &Story::cut},           {"heal", &Story::heal},
            {"kill", &Story::kill},         {"start", &Story::start},
            {"destroy", &Story::destroy},   {"propose", &Story::propose},
            {"read", &Story::read},         {"switchover", &Story::switch_over},
            {"shutdown", &Story::shut_down}};
        const auto command = kCommands.find(line.name);
        if (command == kCommands.end()) return "no such command\n";
        said_.clear();
        (this->*command->second)(line);
        std::string output;
        for (const std::string& note : cluster_->take_transcript()) output += note + "\n";
        return output + said_;
    }
    [[nodiscard]] const std::vector<std::string>& failures() const { return cluster_->failures(); }

private:
    void make(const Line& line) {
        ClusterOptions options{.roles = std::vector(line.number("nodes", 3), ConfiguredRole::kSlave),
                               .election_timeout_ticks = static_cast<std::uint32_t>(line.number("election-timeout", 10)),
                               .seed = line.number("seed", 1)};
        options.roles.at(0) = ConfiguredRole::kMaster;
        if (const auto witness = line.number("witness", 0); witness != 0) options.roles.at(witness - 1) = ConfiguredRole::kWitness;
        cluster_ = std::make_unique<Cluster>(std::move(options));
        settle(line);
        (void)cluster_->take_transcript();
        status(line);
    }
    void run_ticks(const Line& line) { cluster_->run(std::stoull(line.words.at(0))); }
    void settle(const Line&) {
        if (!cluster_->settle(300)) said_ += "not settled\n";
    }
    void tick(const Line& line) { cluster_->tick(line.node(), line.number("times", 1)); }
    void isolate(const Line& line) { cluster_->isolate(line.node()); }
    void cut(const Line& line) { cluster_->cut_link({line.number("from", 0)}, {line.number("to", 0)}); }
    void heal(const Line&) { cluster_->heal(); }
    void kill(const Line& line) { cluster_->kill(line.node(), line.words.size() > 1); }
    void start(const Line& line) { cluster_->start(line.node()); }
    /// Entries of a log, or its newest mark.
    void destroy(const Line& line) {
        if (line.text(1) == "mark") return cluster_->destroy_slots(line.node());
        cluster_->destroy(line.node(), {line.number("from", 0)}, {line.number("through", 0)});
    }
    void shut_down(const Line& line) { cluster_->shut_down(line.node()); }
    void propose(const Line& line) { tell(cluster_->propose(line.node(), line.text(1))); }
    void read(const Line& line) { tell(cluster_->read(line.node())); }
    void switch_over(const Line& line) {
        const std::uint64_t target = line.number("to", 0);
        tell(cluster_->switch_over(line.node(), target == 0 ? std::nullopt : std::optional(NodeId{target})));
    }
    /// What has become of a question once everything that is under way has arrived.
    void tell(std::uint64_t token) {
        cluster_->deliver();
        said_ += fmt::format("=> {}\n", cluster_->replies.contains(token) ? cluster_->replies[token] : "no answer yet");
    }
    void status(const Line&) {
        for (std::uint64_t i = 1; i <= cluster_->size(); ++i) {
            if (!cluster_->running({i})) {
                said_ += fmt::format("{}: down\n", i);
                continue;
            }
            const View v = cluster_->node({i}).view();
            const char* role = v.role == Role::kMaster  ? (v.open ? "master" : "master, not open")
                               : v.role == Role::kSlave ? "slave"
                                                        : "candidate";
            said_ += fmt::format("{}: {} epoch={} last={}/{} commit={} applied={}{}\n", i, role, v.epoch.value, v.last.epoch.value,
                                 v.last.lsn.value, v.commit.value, v.applied.value, v.why.empty() ? "" : fmt::format(" ({})", v.why));
        }
    }

    std::unique_ptr<Cluster> cluster_;
    std::string said_;
};

/// The file with the output that its commands have now.
std::string replay(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::string now;
    Story story;
    bool in_output = false;
    for (std::string text; std::getline(in, text);) {
        if (in_output) {
            in_output = !text.empty();
            if (!in_output) now += "\n";
            continue;
        }
        now += text + "\n";
        if (text.empty() || text.front() == '#') continue;
        const Line line = parse(text);
        now += "----\n" + story.run(line);
        in_output = true;
    }
    for (const std::string& failure : story.failures()) ADD_FAILURE() << file.filename() << ": " << failure;
    return now;
}

std::string content(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::ostringstream all;
    all << in.rdbuf();
    return all.str();
}

TEST(Stories, GoAsTheyAreWrittenDown) {
    std::size_t stories = 0;
    for (const auto& entry : std::filesystem::directory_iterator(TANIST_TESTDATA)) {
        if (entry.path().extension() != ".txt") continue;
        ++stories;
        const std::string now = replay(entry.path());
        if (rewrite_stories) {
            std::ofstream(entry.path()) << now;
        } else {
            EXPECT_EQ(now, content(entry.path())) << entry.path() << "; if this is as it should be: core_test --rewrite";
        }
    }
    EXPECT_GE(stories, 6U);
}

}  // namespace
}  // namespace tanist::core::testing
