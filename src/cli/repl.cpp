// SPDX-License-Identifier: Apache-2.0
#include "cli/repl.h"

#include <histedit.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "cli/arguments.h"
#include "cli/program.h"

namespace tanist::cli {
namespace {

constexpr int kHistoryLines = 1000;

struct EndEditLine {
    void operator()(EditLine* editor) const { el_end(editor); }
};
struct EndHistory {
    void operator()(History* history) const { history_end(history); }
};

char* prompt(EditLine*) {
    static char text[] = "tanist> ";
    return text;
}

std::string common_prefix(const std::vector<std::string>& words) {
    std::string prefix = words.front();
    for (const auto& word : words) {
        prefix.resize(static_cast<std::size_t>(std::ranges::mismatch(prefix, word).in1 - prefix.begin()));
    }
    return prefix;
}

unsigned char complete(EditLine* editor, int) {
    const LineInfo* info = el_line(editor);
    const std::string line(info->buffer, static_cast<std::size_t>(info->cursor - info->buffer));
    const auto found = completions(line);
    if (found.empty()) return CC_ERROR;
    const std::size_t typed = line.size() - (line.find_last_of(' ') + 1);
    std::string rest = common_prefix(found).substr(typed);
    if (found.size() == 1) rest += ' ';
    if (!rest.empty()) return el_insertstr(editor, rest.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
    std::fputc('\n', stdout);
    for (const auto& word : found) std::printf("%s  ", word.c_str());
    std::fputc('\n', stdout);
    return CC_REDISPLAY;
}

std::string history_file() {
    const char* home = std::getenv("HOME");
    return home == nullptr ? "" : std::string(home) + "/.tanist_history";
}

}  // namespace

std::vector<std::string> completions(std::string_view line) {
    const std::size_t word_at = line.find_last_of(' ') + 1;  // npos + 1 is 0
    const std::string_view word = line.substr(word_at);
    const std::string_view first = line.substr(0, std::min(line.find(' '), line.size()));
    std::vector<std::string> candidates;
    if (word.starts_with("--")) {
        candidates = option_names(first);
    } else if (word_at == 0) {
        candidates.assign(command_names().begin(), command_names().end());
        candidates.insert(candidates.end(), {"exit", "help"});
        std::ranges::sort(candidates);
    }
    std::erase_if(candidates, [&](const std::string& candidate) { return !candidate.starts_with(word); });
    return candidates;
}

Exit run_repl(Session& session) {
    const std::unique_ptr<EditLine, EndEditLine> editor(el_init("tanist", stdin, stdout, stderr));
    const std::unique_ptr<History, EndHistory> history(history_init());
    if (editor == nullptr || history == nullptr) return run_script(session);
    HistEvent event;
    ::history(history.get(), &event, H_SETSIZE, kHistoryLines);
    ::history(history.get(), &event, H_SETUNIQUE, 1);
    const std::string file = history_file();
    if (!file.empty()) ::history(history.get(), &event, H_LOAD, file.c_str());
    el_set(editor.get(), EL_PROMPT, prompt);
    el_set(editor.get(), EL_EDITOR, "emacs");
    el_set(editor.get(), EL_SIGNAL, 1);
    el_set(editor.get(), EL_HIST, ::history, history.get());
    el_set(editor.get(), EL_ADDFN, "tanist-complete", "complete commands and options", complete);
    el_set(editor.get(), EL_BIND, "^I", "tanist-complete", nullptr);
    el_source(editor.get(), nullptr);  // ~/.editrc

    const Streams& streams = session.streams();
    if (const auto status = session.client().status(session.options())) {
        streams.out << fmt::format("tanist {}, cluster {}, {}. Commands: help. End: exit.\n", TANIST_VERSION, status->cluster,
                                   status->master ? fmt::format("master {}", *status->master) : "no master");
    }
    streams.out.flush();
    Exit last = Exit::kOk;
    int length = 0;
    while (const char* read = el_gets(editor.get(), &length)) {
        std::string line(read, static_cast<std::size_t>(std::max(length, 0)));
        while (line.ends_with('\n') || line.ends_with(' ')) line.pop_back();
        if (line == "exit" || line == "quit") break;
        if (line.empty()) continue;
        ::history(history.get(), &event, H_ENTER, line.c_str());
        const auto result = run_line(session, line);
        last = result ? *result : complain(streams, session.settings().json, result.error());
        streams.out.flush();
    }
    if (!file.empty()) {
        const mode_t others = umask(077);  // keys and values are nobody else's business
        ::history(history.get(), &event, H_SAVE, file.c_str());
        umask(others);
    }
    return last;
}

}  // namespace tanist::cli
