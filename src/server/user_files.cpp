// SPDX-License-Identifier: Apache-2.0
#include "server/user_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace tanist::server {

Result<std::string> password_of(const config::Config& config) {
    const auto& file = config.security.requirepass_file.path;
    if (file.empty()) return config.security.requirepass.text;
    std::ifstream in(file);
    std::string line;
    if (!std::getline(in, line))
        return fail(ErrorCode::kInvalidArgument, "security.requirepass_file = \"{}\": no line can be read", file.string());
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty())
        return fail(ErrorCode::kInvalidArgument, "security.requirepass_file = \"{}\": its first line is empty", file.string());
    return line;
}

Result<bool> load_users(const std::filesystem::path& file, resp::Acl& acl) {
    if (file.empty()) return false;
    std::error_code missing;
    if (!std::filesystem::exists(file, missing)) return true;
    std::ifstream in(file);
    if (!in) return fail(ErrorCode::kIo, "{}: cannot be read", file.string());
    const std::string text(std::istreambuf_iterator<char>(in), {});
    if (text.empty()) return true;
    if (const Status read = acl.read(text); !read) return fail(ErrorCode::kInvalidArgument, "{}: {}", file.string(), read.error().message);
    return true;
}

Result<bool> save_users(const std::filesystem::path& file, const resp::Acl& acl) {
    if (file.empty()) return false;
    const std::string fresh = file.string() + ".new", text = acl.text();
    const auto failed = [&] { return fail(ErrorCode::kIo, "{}: {}", fresh, std::strerror(errno)); };
    const int descriptor = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (descriptor < 0) return failed();
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    const bool complete = written == static_cast<ssize_t>(text.size()) && ::fsync(descriptor) == 0;
    ::close(descriptor);
    if (!complete || ::rename(fresh.c_str(), file.c_str()) != 0) return failed();
    return true;
}

}  // namespace tanist::server
