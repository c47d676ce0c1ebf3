// SPDX-License-Identifier: Apache-2.0
#include "cli/batch.h"

#include <algorithm>
#include <charconv>

#include "cli/text.h"
#include "cli/words.h"

namespace tanist::cli {
namespace {

using client::Batch;
using Words = std::vector<std::string>;

template <class Integer>
std::optional<Integer> to_integer(std::string_view text) {
    Integer value{};
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    return failure == std::errc{} && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

/// One word that a line may begin with.
struct Form {
    std::string_view name, arguments;
    std::size_t least, most;                        ///< arguments
    bool (*add)(Batch& batch, const Words& words);  ///< false: an argument is no number
};
constexpr Form kForms[] = {
    {"if-exists", "KEY", 1, 1, [](Batch& b, const Words& w) { return b.conditions.push_back({w[1], client::Exists{}}), true; }},
    {"if-absent", "KEY", 1, 1, [](Batch& b, const Words& w) { return b.conditions.push_back({w[1], client::Absent{}}), true; }},
    {"if-value", "KEY VALUE", 2, 2, [](Batch& b, const Words& w) { return b.conditions.push_back({w[1], client::ValueIs{w[2]}}), true; }},
    {"if-version", "KEY VERSION", 2, 2,
     [](Batch& b, const Words& w) {
         const auto version = to_integer<std::uint64_t>(w[2]);
         if (version) b.conditions.push_back({w[1], client::VersionIs{*version}});
         return version.has_value();
     }},
    {"put", "KEY VALUE", 2, 2, [](Batch& b, const Words& w) { return b.commands.emplace_back(client::Put{w[1], w[2]}), true; }},
    {"del", "KEY", 1, 1, [](Batch& b, const Words& w) { return b.commands.emplace_back(client::Delete{w[1]}), true; }},
    {"incr", "KEY [BY]", 1, 2,
     [](Batch& b, const Words& w) {
         const auto by = w.size() > 2 ? to_integer<std::int64_t>(w[2]) : 1;
         if (by) b.commands.emplace_back(client::Increment{w[1], *by});
         return by.has_value();
     }},
    {"get", "KEY", 1, 1, [](Batch& b, const Words& w) { return b.commands.emplace_back(client::Get{w[1]}), true; }},
};

Expected<void> add_line(Batch& batch, std::string_view line) {
    const auto words = split_words(line);
    if (!words) return tl::unexpected(words.error());
    if (words->empty()) return {};
    const auto* form = std::ranges::find(kForms, (*words)[0], &Form::name);
    if (form == std::end(kForms)) {
        std::string all;
        for (const auto& known : kForms) all += fmt::format("{}{} {}", all.empty() ? "" : ", ", known.name, known.arguments);
        return usage("'{}' is no condition or command of a batch; allowed are {}", escape((*words)[0]), all);
    }
    const std::size_t arguments = words->size() - 1;
    if (arguments < form->least || arguments > form->most || !form->add(batch, *words)) {
        return usage("allowed is {} {}", form->name, form->arguments);
    }
    return {};
}

}  // namespace

Expected<Batch> parse_batch(std::string_view text) {
    Batch batch;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        if (const auto added = add_line(batch, text.substr(0, end)); !added) return usage("{}: {}", number, added.error().message);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    if (batch.commands.empty() && batch.conditions.empty()) return usage("1: nothing to do");
    return batch;
}

void print_results(std::ostream& out, const std::vector<client::Command>& commands, const client::BatchDone& done) {
    for (std::size_t i = 0; i < std::min(commands.size(), done.results.size()); ++i) {
        const auto& result = done.results[i];
        const std::string bytes = result ? escape(result->bytes) : "";
        if (const auto* put = std::get_if<client::Put>(&commands[i])) out << "put " << escape(put->key) << '\n';
        if (const auto* del = std::get_if<client::Delete>(&commands[i]))
            out << "del " << escape(del->key) << (result ? "" : ": no such key") << '\n';
        if (const auto* incr = std::get_if<client::Increment>(&commands[i])) out << "incr " << escape(incr->key) << " = " << bytes << '\n';
        if (const auto* get = std::get_if<client::Get>(&commands[i]))
            out << "get " << escape(get->key) << (result ? " = " + bytes : ": no such key") << '\n';
    }
    out << "version " << done.version << '\n';
}

}  // namespace tanist::cli
