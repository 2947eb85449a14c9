#include "daemon/migration/kafka_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outboxd {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class KafkaConfigTest : public testing::Test {
 protected:
  void Add(const Properties& connector, const Properties& worker = {}) {
    draft_ = {};
    TakenOptions options(connector, worker);
    AddKafkaConfig(options, draft_);
    left_ = options.Left(connector);
    left_.merge(options.Left(worker));
  }

  ConfigDraft draft_;
  Properties left_;
};

TEST_F(KafkaConfigTest, TheBrokersAreThoseOfTheProducer) {
  const Properties worker = {{"bootstrap.servers", "worker:1"}};
  Add({}, worker);
  EXPECT_EQ(draft_.Text(), "[kafka]\nbootstrap.servers = worker:1\n");
  Add({{"producer.override.bootstrap.servers", "own:1"}}, worker);
  EXPECT_EQ(draft_.Text(), "[kafka]\nbootstrap.servers = own:1\n");
  EXPECT_THAT(left_, IsEmpty());
}

TEST_F(KafkaConfigTest, ThoseOfTheSchemaHistoryAreAGuessThatIsNoted) {
  for (const char* option : {"schema.history.internal.kafka.bootstrap.servers",
                             "database.history.kafka.bootstrap.servers"}) {
    Add({{option, "history:1"}});
    EXPECT_THAT(draft_.Text(), EndsWith("[kafka]\nbootstrap.servers = history:1\n"));
    EXPECT_THAT(draft_.notes(), ElementsAre(HasSubstr("was taken from the schema history's")));
    EXPECT_THAT(draft_.missing(), IsEmpty());
  }
}

TEST_F(KafkaConfigTest, WithoutBrokersNoRelayCanRun) {
  Add({});
  EXPECT_THAT(draft_.Text(), EndsWith("[kafka]\n# bootstrap.servers = HOST:9092\n"));
  EXPECT_THAT(draft_.missing(), ElementsAre(StartsWith("kafka.bootstrap.servers has to be set")));
}

TEST_F(KafkaConfigTest, ProducerOptionsOfTheSameMeaningAreCarriedOver) {
  Add({{"producer.override.linger.ms", "5"}, {"producer.override.max.request.size", "7"}},
      {{"bootstrap.servers", "k:1"}, {"producer.compression.type", "zstd"}});
  EXPECT_EQ(draft_.Text(),
            "[kafka]\nbootstrap.servers = k:1\nlinger.ms = 5\nmessage.max.bytes = 7\n"
            "compression.type = zstd\n");
  EXPECT_THAT(left_, IsEmpty());
}

TEST_F(KafkaConfigTest, OtherProducerOptionsAreNotesWithoutTheirValues) {
  Add({{"producer.override.ssl.key.password", "geheim"}, {"producer.override.acks", "geheim"}},
      {{"bootstrap.servers", "k:1"}, {"producer.sasl.jaas.config", "geheim"}});
  EXPECT_THAT(draft_.notes(),
              ElementsAre(StartsWith("producer.override.acks is not carried over: outboxd chooses"),
                          AllOf(StartsWith("producer.override.ssl.key.password is not"),
                                HasSubstr("librdkafka has PEM files")),
                          StartsWith("producer.sasl.jaas.config is not carried over: librdkafka")));
  EXPECT_THAT(draft_.Text(), Not(HasSubstr("geheim")));
}

TEST_F(KafkaConfigTest, TopicsAreCreatedWhereTheConnectorSaysHow) {
  const Properties worker = {{"bootstrap.servers", "k:1"}};
  Add({{"topic.creation.default.partitions", "12"},
       {"topic.creation.default.replication.factor", "2"}},
      worker);
  EXPECT_THAT(draft_.Text(),
              EndsWith("\n[topics]\ncreate = yes\npartitions = 12\nreplication = 2\n"));
  EXPECT_THAT(draft_.notes(), IsEmpty());
  Add({{"topic.creation.default.partitions", "-1"}}, worker);
  EXPECT_THAT(draft_.Text(), EndsWith("\n[topics]\ncreate = yes\n"));
  EXPECT_THAT(draft_.notes(), ElementsAre(HasSubstr("the broker's defaults are not known here")));
}

}  // namespace
}  // namespace outboxd
