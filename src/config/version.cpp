// SPDX-License-Identifier: Apache-2.0
#include "config/version.h"

namespace tanist::config {

std::string_view version() { return TANIST_VERSION; }

}  // namespace tanist::config
