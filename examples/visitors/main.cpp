// SPDX-License-Identifier: Apache-2.0
// Counts visitors, and shows the last ones: a first program with the client library. It goes on counting, and never counts twice,
// while masters come and go.
//
//     visitors 127.0.0.1:7401,127.0.0.1:7402 Ada
#include <tanist/client.h>

#include <iostream>
#include <sstream>

using namespace tanist::client;

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: visitors HOST:PORT,… NAME\n";
        return 2;
    }
    Options options{.seeds = {}};
    std::istringstream seeds(argv[1]);
    for (std::string seed; std::getline(seeds, seed, ',');) options.seeds.push_back(seed);

    auto client = Client::connect(options);
    if (!client) {
        std::cerr << client.error().message << '\n';
        return 1;
    }
    const auto number = client->increment("visitors");
    if (!number) {
        std::cerr << to_string(number.error().outcome) << ": " << number.error().message << '\n';
        return 1;
    }
    std::cout << "You are visitor " << number->value << ".\n";

    // Asynchronous: the write is on its way while we go on; the future is its answer.
    auto written = client->send(Put{"visitor/" + std::to_string(number->value), argv[2]});
    if (const auto result = written.get(); !result) std::cerr << result.error().message << '\n';

    // A slave serves this, and still shows the write of a moment ago.
    for (auto rows = client->rows({.prefix = "visitor/"});;) {
        const auto row = rows.next();
        if (!row || !*row) break;
        std::cout << (*row)->key << ": " << (*row)->value << '\n';
    }
}
