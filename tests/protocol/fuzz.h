// SPDX-License-Identifier: Apache-2.0
// One function a decoder: takes any bytes, must not crash, and ends the process when a promise is broken. For tests and libFuzzer.
#pragma once

#include "base/bytes.h"

namespace tanist::protocol {

/// What is taken is taken again, the same, after it was encoded once more.
void fuzz_peer(Bytes bytes);
/// The same behind the checksum, which no mutation would get past: two bytes say how long the envelope is, the rest are entries.
void fuzz_peer_envelope(Bytes bytes);
void fuzz_request(Bytes bytes);
void fuzz_reply(Bytes bytes);
/// The same commands and the same error come out, whether the bytes arrive at once or one by one.
void fuzz_resp(Bytes bytes);
/// Frames, as next_frame() finds them, then each of the decoders above.
void fuzz_frames(Bytes bytes);

}  // namespace tanist::protocol
