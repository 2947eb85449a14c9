#include "sinks/kafka/kafka_properties.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

namespace outboxd::sinks {
namespace {

class KafkaPropertiesTest : public testing::Test {
 protected:
  ~KafkaPropertiesTest() override {
    for (const std::string& path : paths_) std::filesystem::remove(path);
  }

  std::string WriteFile(const std::string& content) {
    std::string path = testing::TempDir() + "outboxd-secret-XXXXXX";
    const int descriptor = mkstemp(path.data());
    EXPECT_GE(descriptor, 0);
    close(descriptor);
    std::ofstream(path, std::ios::binary) << content;
    paths_.push_back(path);
    return path;
  }

  static Result<void> Validate(KafkaProperties properties) {
    properties.emplace_back("bootstrap.servers", "127.0.0.1:1");
    return ValidateKafkaProperties(properties);
  }

  static std::string Refusal(const std::string& name, const std::string& value) {
    const auto valid = Validate({{name, value}});
    if (valid) return "";
    EXPECT_EQ(valid.error().kind, ErrorKind::kConfiguration);
    return valid.error().ToText();
  }

  // What is in force at the end: of two with one name the later.
  static std::map<std::string, std::string> Resolve(KafkaProperties properties) {
    properties.emplace_back("bootstrap.servers", "127.0.0.1:1");
    std::map<std::string, std::string> values;
    const auto resolved = ResolveKafkaProperties(properties);
    EXPECT_TRUE(resolved) << resolved.error().message;
    if (!resolved) return values;
    for (const auto& property : *resolved) values[property.name] = property.value;
    return values;
  }

 private:
  std::vector<std::string> paths_;
};

TEST_F(KafkaPropertiesTest, SetsWhatTheGuaranteesRestOn) {
  const auto values = Resolve({});
  EXPECT_EQ(values.at("enable.idempotence"), "true");
  EXPECT_EQ(values.at("acks"), "all");
  EXPECT_EQ(values.at("message.timeout.ms"), "0");
  EXPECT_EQ(values.at("enable.gapless.guarantee"), "true");
  EXPECT_EQ(values.at("partitioner"), "murmur2_random");
  EXPECT_EQ(values.at("allow.auto.create.topics"), "false");
  EXPECT_EQ(values.at("linger.ms"), "0");
  EXPECT_EQ(values.at("queue.buffering.max.kbytes"), "32768");
  EXPECT_TRUE(Validate({}));
}

TEST_F(KafkaPropertiesTest, TriesABrokerAgainWithinTwoSecondsUnlessToldOtherwise) {
  EXPECT_EQ(Resolve({}).at("reconnect.backoff.max.ms"), "2000");
  EXPECT_EQ(Resolve({{"reconnect.backoff.max.ms", "500"}}).at("reconnect.backoff.max.ms"), "500");
  EXPECT_TRUE(Validate({{"reconnect.backoff.ms", "5000"}}));
}

TEST_F(KafkaPropertiesTest, RefusesWhatWouldBreakAGuaranteeAndSaysWhy) {
  const std::map<std::string, std::string> refused = {
      {"acks", "1"},
      {"request.required.acks", "0"},
      {"enable.idempotence", "false"},
      {"enable.gapless.guarantee", "false"},
      {"message.timeout.ms", "1000"},
      {"delivery.timeout.ms", "1000"},
      {"retries", "3"},
      {"message.send.max.retries", "3"},
      {"max.in.flight", "6"},
      {"max.in.flight.requests.per.connection", "1000"},
      {"transactional.id", "x"},
      {"partitioner", "consistent_random"},
      {"queuing.strategy", "lifo"},
      {"delivery.report.only.error", "true"},
      {"enabled_events", "0"},
      {"allow.auto.create.topics", "true"},
      {"queue.buffering.max.messages", "0"},
      {"dr_msg_cb", "x"},
      {"msg_order_cmp", "x"},
      {"test.mock.num.brokers", "3"},
  };
  for (const auto& [name, value] : refused) {
    const std::string message = Refusal(name, value);
    EXPECT_NE(message.find("kafka property " + name + " is not allowed: "), std::string::npos)
        << name << ": " << message;
  }
}

TEST_F(KafkaPropertiesTest, RefusesWhatWouldRunOtherCodeOrTrustAnyone) {
  const std::map<std::string, std::string> refused = {
      {"plugin.library.paths", "evil.so"},
      {"sasl.kerberos.kinit.cmd", "rm -rf /"},
      {"sasl.kerberos.principal", "x; rm -rf /"},
      {"sasl.kerberos.keytab", "$(id)"},
      {"ssl.engine.location", "evil.so"},
      {"ssl.engine.id", "evil"},
      {"ssl.providers", "evil"},
      {"enable.ssl.certificate.verification", "false"},
      {"enable.ssl.certificate.verification", "FALSE"},
      {"ssl.endpoint.identification.algorithm", "none"},
      {"sasl.oauthbearer.token.endpoint.url", "http://plain"},
  };
  for (const auto& [name, value] : refused) {
    EXPECT_NE(Refusal(name, value).find("is not allowed: "), std::string::npos) << name;
  }
}

TEST_F(KafkaPropertiesTest, RefusesASecretInTheConfigurationAndNamesTheFileProperty) {
  for (const std::string name :
       {"sasl.password", "ssl.key.password", "ssl.keystore.password",
        "sasl.oauthbearer.client.secret", "sasl.oauthbearer.client.credentials.client.secret"}) {
    const std::string message = Refusal(name, "hunter2");
    EXPECT_NE(message.find(name + "-file"), std::string::npos) << message;
    EXPECT_EQ(message.find("hunter2"), std::string::npos);
  }
  EXPECT_NE(Refusal("ssl.key.pem", "-----BEGIN").find("ssl.key.location"), std::string::npos);
}

TEST_F(KafkaPropertiesTest, ReadsASecretFromItsFileWithoutTheLastLineEnd) {
  const auto values = Resolve({{"sasl.password-file", WriteFile("hunter2\n")},
                               {"ssl.key.password-file", WriteFile(" two words \r\n")}});
  EXPECT_EQ(values.at("sasl.password"), "hunter2");
  EXPECT_EQ(values.at("ssl.key.password"), " two words ");
  EXPECT_FALSE(values.contains("sasl.password-file"));
}

TEST_F(KafkaPropertiesTest, NamesTheFileOfASecretThatCannotBeRead) {
  EXPECT_NE(Refusal("sasl.password-file", "/nonexistent").find("/nonexistent"), std::string::npos);
  EXPECT_NE(Refusal("sasl.password-file", "/").find('/'), std::string::npos);
  EXPECT_NE(Refusal("sasl.password-file", WriteFile("\n")).find("is empty"), std::string::npos);
  EXPECT_NE(Refusal("sasl.password-file", WriteFile(std::string(70000, 'x'))).find("at most"),
            std::string::npos);
}

TEST_F(KafkaPropertiesTest, KeepsASecretOutOfTheMessageWhenLibrdkafkaRefusesTheKey) {
  const auto valid = Validate({{"security.protocol", "ssl"},
                               {"ssl.keystore.location", WriteFile("not a keystore")},
                               {"ssl.keystore.password-file", WriteFile("hunter2")}});
  ASSERT_FALSE(valid);
  EXPECT_EQ(valid.error().kind, ErrorKind::kConfiguration);
  EXPECT_EQ(valid.error().message.find("hunter2"), std::string::npos) << valid.error().message;
}

TEST_F(KafkaPropertiesTest, AnswersAnUnknownPropertyWithTheNearestKnown) {
  EXPECT_NE(Refusal("compresion.codec", "lz4").find("did you mean compression.codec?"),
            std::string::npos);
  EXPECT_NE(Refusal("sasl.pasword-file", "x").find("did you mean sasl.password-file?"),
            std::string::npos);
  EXPECT_NE(Refusal("bootstrap.server", "x").find("did you mean bootstrap.servers?"),
            std::string::npos);
}

TEST_F(KafkaPropertiesTest, PassesOtherPropertiesOn) {
  EXPECT_TRUE(Validate({{"queue.buffering.max.ms", "5"},
                        {"compression.type", "none"},
                        {"batch.size", "65536"},
                        {"client.id", "shop"},
                        {"partitioner", "murmur2_random"},
                        {"max.in.flight", "1"},
                        {"ssl.endpoint.identification.algorithm", "https"}}));
}

TEST_F(KafkaPropertiesTest, ReportsAValueThatLibrdkafkaRefuses) {
  EXPECT_NE(Refusal("compression.codec", "zip").find("compression.codec"), std::string::npos);
}

TEST_F(KafkaPropertiesTest, RequiresBootstrapServers) {
  const auto valid = ValidateKafkaProperties({});
  ASSERT_FALSE(valid);
  EXPECT_NE(valid.error().message.find("bootstrap.servers is missing"), std::string::npos);
  EXPECT_TRUE(ValidateKafkaProperties({{"metadata.broker.list", "127.0.0.1:1"}}));
}

TEST_F(KafkaPropertiesTest, QueueTakesTheLargestMessage) {
  EXPECT_EQ(Resolve({{"message.max.bytes", "67108864"}}).at("queue.buffering.max.kbytes"), "65536");
  const std::string message = Refusal("queue.buffering.max.kbytes", "100");
  EXPECT_NE(message.find("at least 977"), std::string::npos) << message;
}

}  // namespace
}  // namespace outboxd::sinks
