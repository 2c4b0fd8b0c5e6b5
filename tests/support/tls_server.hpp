// A TLS server on loopback with a certificate of its own making, which answers every request with the same bytes. One thread,
// blocking. Owned by the test.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

namespace troupe::testing {

/// Self-signed, for 127.0.0.1.
struct own_certificate {
  std::string key;          ///< PEM
  std::string certificate;  ///< PEM

  own_certificate() {
    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> pair(EVP_EC_gen("P-256"), &EVP_PKEY_free);
    std::unique_ptr<X509, decltype(&X509_free)> x(X509_new(), &X509_free);
    X509_set_version(x.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(x.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x.get()), 86'400);
    X509_set_pubkey(x.get(), pair.get());
    auto* name = X509_get_subject_name(x.get());
    const unsigned char text[] = "troupe test";
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0);
    X509_set_issuer_name(x.get(), name);
    for (auto [nid, value] :
         {std::pair{NID_subject_alt_name, "IP:127.0.0.1"}, std::pair{NID_basic_constraints, "critical,CA:TRUE"}}) {
      auto* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
      X509_add_ext(x.get(), extension, -1);
      X509_EXTENSION_free(extension);
    }
    X509_sign(x.get(), pair.get(), EVP_sha256());
    key = written([&](BIO* to) { PEM_write_bio_PrivateKey(to, pair.get(), nullptr, nullptr, 0, nullptr, nullptr); });
    certificate = written([&](BIO* to) { PEM_write_bio_X509(to, x.get()); });
  }

 private:
  template <class Write>
  static std::string written(Write write) {
    std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()), &BIO_free);
    write(memory.get());
    const char* data = nullptr;
    auto size = BIO_ctrl(memory.get(), BIO_CTRL_INFO, 0, static_cast<void*>(&data));
    return {data, static_cast<std::size_t>(size)};
  }
};

class tls_server {
 public:
  tls_server(const own_certificate& own, std::string answer)
      : answer_(std::move(answer)), acceptor_(io_, {boost::asio::ip::address_v4::loopback(), 0}) {
    context_.use_private_key(boost::asio::buffer(own.key), boost::asio::ssl::context::pem);
    context_.use_certificate(boost::asio::buffer(own.certificate), boost::asio::ssl::context::pem);
    thread_ = std::thread([this] {
      while (serve_one()) {
      }
    });
  }
  ~tls_server() {
    stopping_ = true;
    boost::system::error_code ec;
    boost::asio::ip::tcp::socket wake(io_);
    wake.connect(acceptor_.local_endpoint(), ec);
    wake.close(ec);
    thread_.join();
  }
  tls_server(const tls_server&) = delete;
  tls_server& operator=(const tls_server&) = delete;

  [[nodiscard]] std::string port() const { return std::to_string(acceptor_.local_endpoint().port()); }

 private:
  bool serve_one() {
    boost::system::error_code ec;
    boost::asio::ssl::stream<boost::asio::ip::tcp::socket> stream(io_, context_);
    acceptor_.accept(stream.next_layer(), ec);
    if (stopping_) return false;
    stream.handshake(boost::asio::ssl::stream_base::server, ec);
    if (ec) return true;
    std::string head;
    boost::asio::read_until(stream, boost::asio::dynamic_buffer(head), "\r\n\r\n", ec);
    boost::asio::write(stream, boost::asio::buffer(answer_), ec);
    stream.shutdown(ec);
    return true;
  }

  std::string answer_;
  boost::asio::io_context io_;
  boost::asio::ssl::context context_{boost::asio::ssl::context::tls_server};
  boost::asio::ip::tcp::acceptor acceptor_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace troupe::testing
