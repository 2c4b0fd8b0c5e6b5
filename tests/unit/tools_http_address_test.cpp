#include "tools/http/address_rules.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <string>

using namespace troupe::tools;

namespace {

/// Of the sockaddr that a connection would go to.
bool reaches(const std::string& text) {
  sockaddr_storage storage{};
  if (text.find(':') == std::string::npos) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    REQUIRE(inet_pton(AF_INET, text.c_str(), &in.sin_addr) == 1);
    std::memcpy(&storage, &in, sizeof in);
  } else {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    REQUIRE(inet_pton(AF_INET6, text.c_str(), &in.sin6_addr) == 1);
    std::memcpy(&storage, &in, sizeof in);
  }
  return is_public(*reinterpret_cast<const sockaddr*>(&storage));
}

}  // namespace

TEST_CASE("addresses: the special blocks of IPv4 are closed from their first to their last address, not beyond") {
  struct row {
    const char* before;  ///< empty: not public either
    const char* first;
    const char* last;
    const char* after;
  };
  for (const auto& r : {
           row{"", "0.0.0.0", "0.255.255.255", "1.0.0.0"},
           row{"9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"},
           row{"100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"},
           row{"126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"},
           row{"168.63.129.15", "168.63.129.16", "168.63.129.16", "168.63.129.17"},
           row{"169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"},
           row{"172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"},
           row{"191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"},
           row{"192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"},
           row{"192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"},
           row{"192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"},
           row{"198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"},
           row{"198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"},
           row{"203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"},
           row{"223.255.255.255", "224.0.0.0", "239.255.255.255", ""},
           row{"", "240.0.0.0", "255.255.255.255", ""},
       }) {
    INFO(r.first);
    CHECK_FALSE(reaches(r.first));
    CHECK_FALSE(reaches(r.last));
    if (*r.before != '\0') CHECK(reaches(r.before));
    if (*r.after != '\0') CHECK(reaches(r.after));
  }
  CHECK_FALSE(reaches("169.254.169.254"));
  CHECK_FALSE(reaches("100.100.100.200"));
  for (const char* open : {"8.8.8.8", "1.1.1.1", "93.184.215.14", "192.31.196.1", "192.52.193.1", "192.175.48.1"})
    CHECK(reaches(open));
}

TEST_CASE("addresses: of IPv6 only global unicast is open, without its special blocks") {
  for (const char* closed : {"::",
                             "::1",
                             "::2",
                             "64:ff9b:1::",
                             "64:ff9b:1:ffff::1",
                             "100::1",
                             "100:0:0:1::1",
                             "1fff:ffff::1",
                             "2001:2::1",
                             "2001:10::1",
                             "2001:20::1",
                             "2001:1ff:ffff::1",
                             "2001:db8::1",
                             "2001:db8:ffff::1",
                             "3fff::1",
                             "3fff:fff:ffff::1",
                             "4000::1",
                             "5f00::1",
                             "fc00::1",
                             "fd00:ec2::254",
                             "fdff:ffff::1",
                             "fe80::1",
                             "febf::1",
                             "fec0::1",
                             "feff::1",
                             "ff00::1",
                             "ff02::1",
                             "ffff::1"}) {
    INFO(closed);
    CHECK_FALSE(reaches(closed));
  }
  for (const char* open : {"2000::1", "2001:200::1", "2001:4860:4860::8888", "2001:db7:ffff::1", "2001:db9::1",
                           "2606:4700::1111", "2a00:1450::1", "3ffe:ffff::1", "3fff:1000::1"}) {
    INFO(open);
    CHECK(reaches(open));
  }
}

TEST_CASE("addresses: an IPv4 address inside an IPv6 one is judged as itself") {
  for (const char* closed :
       {"::127.0.0.1", "::10.0.0.1", "::ffff:127.0.0.1", "::ffff:10.1.2.3", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1",
        "64:ff9b::127.0.0.1", "64:ff9b::192.168.1.1", "2002:7f00:1::1", "2002:a00:1::1", "2002:c0a8:101::",
        // Teredo: the server (4136:e378 is 65.54.227.120), then flags, port and the client with its bits turned over.
        "2001:0:7f00:1:0:0:f7f7:f7f7", "2001:0:4136:e378:8000:63bf:80ff:fffe", "2001:0:4136:e378:8000:63bf:f5ff:fffe"}) {
    INFO(closed);
    CHECK_FALSE(reaches(closed));
  }
  for (const char* open : {"::8.8.8.8", "::ffff:8.8.8.8", "::ffff:0:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1",
                           "2001:0:4136:e378:8000:63bf:f7f7:f7f7"}) {
    INFO(open);
    CHECK(reaches(open));
  }
}

TEST_CASE("addresses: what is no internet address is closed") {
  sockaddr address{};
  for (int family : {AF_UNSPEC, AF_UNIX, AF_NETLINK}) {
    address.sa_family = static_cast<sa_family_t>(family);
    CHECK_FALSE(is_public(address));
  }
}
