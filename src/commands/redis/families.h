// SPDX-License-Identifier: Apache-2.0
// The functions of the table, by the file that they are in.
#pragma once

#include "commands/redis/call.h"

namespace tanist::commands::redis {

// strings.cpp: whole values and parts of them
Reply get(Call& call);
Reply set(Call& call);
Reply setnx(Call& call);
Reply setex(Call& call);
Reply psetex(Call& call);
Reply getset(Call& call);
Reply getdel(Call& call);
Reply getex(Call& call);
Reply mget(Call& call);
Reply mset(Call& call);
Reply msetnx(Call& call);
Reply append(Call& call);
Reply strlen(Call& call);
Reply getrange(Call& call);
Reply setrange(Call& call);
Reply lcs(Call& call);  // lcs.cpp

// counters.cpp
Reply incr(Call& call);
Reply decr(Call& call);
Reply incrby(Call& call);
Reply decrby(Call& call);
Reply incrbyfloat(Call& call);

// bits.cpp and bitfield.cpp
Reply getbit(Call& call);
Reply setbit(Call& call);
Reply bitcount(Call& call);
Reply bitpos(Call& call);
Reply bitop(Call& call);
Reply bitfield(Call& call);
Reply bitfield_ro(Call& call);

// keys.cpp
Reply del(Call& call);
Reply exists(Call& call);
Reply type(Call& call);
Reply rename(Call& call);
Reply renamenx(Call& call);
Reply copy(Call& call);
Reply flush(Call& call);
Reply object(Call& call);
Reply memory(Call& call);

// scan.cpp
Reply keys(Call& call);
Reply scan(Call& call);
Reply randomkey(Call& call);
Reply dbsize(Call& call);

// expiry.cpp
Reply expire(Call& call);
Reply pexpire(Call& call);
Reply expireat(Call& call);
Reply pexpireat(Call& call);
Reply ttl(Call& call);
Reply pttl(Call& call);
Reply expiretime(Call& call);
Reply pexpiretime(Call& call);
Reply persist(Call& call);

}  // namespace tanist::commands::redis
