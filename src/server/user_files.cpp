// SPDX-License-Identifier: Apache-2.0
#include "server/user_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace tanist::server {

Result<std::string> secret_of(const config::Secret& inline_text, const config::OptionalFile& file, std::string_view name) {
    if (file.path.empty()) return inline_text.text;
    std::ifstream in(file.path);
    std::string line;
    if (!std::getline(in, line))
        return fail(ErrorCode::kInvalidArgument, "security.{}_file = \"{}\": no line can be read", name, file.path.string());
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty())
        return fail(ErrorCode::kInvalidArgument, "security.{}_file = \"{}\": its first line is empty", name, file.path.string());
    return line;
}

Status load_users(const std::filesystem::path& file, resp::Acl& acl) {
    std::error_code missing;
    if (file.empty() || !std::filesystem::exists(file, missing)) return {};
    std::ifstream in(file);
    if (!in) return fail(ErrorCode::kIo, "{}: cannot be read", file.string());
    const std::string text(std::istreambuf_iterator<char>(in), {});
    if (text.empty()) return {};
    if (const Status read = acl.read(text); !read) return fail(ErrorCode::kInvalidArgument, "{}: {}", file.string(), read.error().message);
    return {};
}

Status save_users(const std::filesystem::path& file, const resp::Acl& acl) {
    const std::string fresh = file.string() + ".new", text = acl.text();
    const auto failed = [&] { return fail(ErrorCode::kIo, "{}: {}", fresh, std::strerror(errno)); };
    const int descriptor = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (descriptor < 0) return failed();
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    const bool complete = written == static_cast<ssize_t>(text.size()) && ::fsync(descriptor) == 0;
    ::close(descriptor);
    if (!complete || ::rename(fresh.c_str(), file.c_str()) != 0) return failed();
    return {};
}

}  // namespace tanist::server
